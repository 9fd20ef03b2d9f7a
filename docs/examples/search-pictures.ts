/**
 * Signs in, adds a picture, follows its job over Realtime, and searches by words.
 *
 *   PUBLISHABLE_KEY=… bun docs/examples/search-pictures.ts sunset.jpg "warm sunset colours"
 *
 * The key is one that `bun run status` prints; SUPABASE_URL is a project's, unless it is the one on this machine.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createClient as createSupabase, type SupabaseClient } from "@supabase/supabase-js";
import { createClient, followJob, type JobEvent, unwrap } from "parlance/client";

export interface Wish {
  url: string;
  publishableKey: string;
  email: string;
  password: string;
  /** The path of a picture. */
  file: string;
  words: string;
}

export async function searchPictures(wish: Wish, tell: (line: string) => void = console.log) {
  const supabase = createSupabase(wish.url, wish.publishableKey, { auth: { persistSession: false } });
  const client = createClient({
    url: wish.url,
    publishableKey: wish.publishableKey,
    // Asked before each request, so that a token that was renewed meanwhile is used.
    accessToken: async () => (await supabase.auth.getSession()).data.session?.access_token,
  });
  const stop = new AbortController();
  try {
    const userId = await signIn(supabase, wish);
    const waitForEnd = await listen(supabase, `user:${userId}`, tell);
    const form = { file: new Blob([await readFile(wish.file)]), name: basename(wish.file) };
    const { job } = await unwrap(client.images.$post({ form }), 202);
    // Realtime tells at once, but what is told while the connection is away is lost: ask now and then as well.
    const asked = followJob(client, job.id, { pollMs: 10_000, timeoutMs: 60_000, signal: stop.signal });
    const end = await Promise.race([waitForEnd(job.id), asked]);
    if (end.state !== "done") throw new Error(`The job is ${end.state}: ${end.error?.message}`);

    const page = await unwrap(client.images.search.$get({ query: { q: wish.words, limit: 5 } }));
    for (const hit of page.items) tell(`${hit.score.toFixed(2)}  ${hit.name}  ${hit.links?.thumbnail}`);
    return page;
  } finally {
    stop.abort();
    await supabase.removeAllChannels();
    await supabase.auth.signOut();
  }
}

/** Signs in, or up where nobody is known by that address. */
async function signIn(supabase: SupabaseClient, { email, password }: Wish): Promise<string> {
  const known = await supabase.auth.signInWithPassword({ email, password });
  const { data, error } = known.error ? await supabase.auth.signUp({ email, password }) : known;
  if (error || !data.user) throw error ?? new Error("There is no such user.");
  return data.user.id;
}

/** Hears of a user's jobs; resolves once the topic is open, to a function that waits for the end of one job. */
async function listen(supabase: SupabaseClient, topic: string, tell: (line: string) => void) {
  const ends = new Map<string, PromiseWithResolvers<JobEvent>>();
  const endOf = (jobId: string) => {
    const end = ends.get(jobId) ?? Promise.withResolvers<JobEvent>();
    ends.set(jobId, end);
    return end;
  };
  const channel = supabase.channel(topic, { config: { private: true } });
  channel.on("broadcast", { event: "*" }, ({ payload }) => {
    const event = payload as JobEvent;
    tell(`${event.event} ${event.progress.message ?? ""}`.trim());
    if (["done", "failed", "cancelled"].includes(event.state)) endOf(event.jobId).resolve(event);
  });
  await new Promise<void>((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve();
      else reject(error ?? new Error(`The topic ${topic} cannot be heard: ${status}.`));
    });
  });
  return (jobId: string) => endOf(jobId).promise;
}

if (import.meta.main) {
  const [file, words] = process.argv.slice(2);
  const { SUPABASE_URL: url = "http://127.0.0.1:54321", PUBLISHABLE_KEY: publishableKey } = process.env;
  if (!file || !words || !publishableKey) throw new Error("Say PUBLISHABLE_KEY, a file and words.");
  const user = { email: "me@example.com", password: "correct horse battery" };
  await searchPictures({ url, publishableKey, ...user, file, words });
}
