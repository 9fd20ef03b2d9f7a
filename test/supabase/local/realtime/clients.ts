import {
  createClient,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type SupabaseClient,
} from "@supabase/supabase-js";

/** What a test asks of supabase-js and waits for; knows nothing of the server. */

const waitMs = 40_000;

export interface Received {
  type: string;
  event: string;
  payload: unknown;
  meta?: { id: string; replayed?: boolean };
}

export interface Listener {
  readonly channel: RealtimeChannel;
  readonly received: Received[];
  /** Every status that subscribe told, with the message of its error. */
  readonly statuses: string[];
  readonly systems: { status: string; message: string; extension: string; channel: string }[];
  /** Resolves when so many messages have come. */
  heard(count: number): Promise<Received[]>;
  /** Resolves when a status, or its error, holds this text; `after` leaves out the first ones. */
  reached(text: string, after?: number): Promise<void>;
}

export type ChannelConfig = RealtimeChannelOptions["config"];

/** `token` undefined: nobody is signed in and the key speaks for itself. */
export function connectClient(
  url: string,
  key: string,
  token?: () => Promise<string>,
  realtime: { heartbeatIntervalMs?: number; vsn?: string } = {},
): SupabaseClient {
  return createClient(url, key, {
    // With a logger of its own, the client keeps its warnings from the console.
    realtime: { logger: () => {}, ...realtime },
    ...(token ? { accessToken: token } : {}),
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });
}

/** Subscribes and waits for the first answer, whatever it is. */
export async function listen(
  client: SupabaseClient,
  topic: string,
  config: ChannelConfig = {},
): Promise<Listener> {
  const listener = prepare(client.channel(topic, { config }));
  await client.realtime.setAuth();
  const answered = waitUntil(() => listener.statuses.length > 0, `an answer to the join of ${topic}`);
  listener.channel.subscribe((status, error) => {
    listener.statuses.push(error ? `${status}: ${error.message}` : status);
    check();
  });
  await answered;
  return listener;
}

/** Hears every event, bytes and system messages included, from before the subscription on. */
function prepare(channel: RealtimeChannel): Listener {
  const received: Received[] = [];
  const statuses: string[] = [];
  const systems: Listener["systems"] = [];
  channel.on("broadcast", { event: "*" }, (message) => {
    received.push(message as Received);
    check();
  });
  channel.on("system", {}, (message: Listener["systems"][number]) => {
    systems.push(message);
    check();
  });
  return {
    channel,
    received,
    statuses,
    systems,
    async heard(count) {
      await waitUntil(() => received.length >= count, `${count} messages on ${channel.topic}`);
      return received;
    },
    reached: (text, after = 0) =>
      waitUntil(
        () => statuses.slice(after).some((status) => status.includes(text)),
        `${text} on ${channel.topic}`,
      ),
  };
}

/** Sends a message that everyone on the channel gets and waits for it: what was sent before has come, or never will. */
export async function settle(
  listener: Listener,
  send: (event: string) => Promise<unknown>,
): Promise<Received[]> {
  const event = `settled-${crypto.randomUUID()}`;
  await send(event);
  await waitUntil(() => listener.received.some((message) => message.event === event), "the last message");
  return listener.received.filter((message) => message.event !== event);
}

const checks = new Set<() => void>();

/** Whoever waits looks again. */
export function check(): void {
  for (const waiting of checks) waiting();
}

/** Woken by what the clients hear, never by the clock. */
export function waitUntil(isTrue: () => boolean, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      checks.delete(look);
      reject(new Error(`Waited in vain for ${what}.`));
    }, waitMs);
    const look = () => {
      if (!isTrue()) return;
      checks.delete(look);
      clearTimeout(timer);
      resolve();
    };
    checks.add(look);
    look();
  });
}
