import { expect, test } from "vitest";
import { Gate } from "../../../../supabase/local/pglite/gate.ts";

test("the first enters at once, the others in the order in which they asked", async () => {
  const gate = new Gate<{ name: string }>();
  const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
  const entered: string[] = [];
  for (const who of [a, b, c]) {
    void gate.ask(who).then((holds) => holds && entered.push(who.name));
  }
  for (const who of [a, b, c]) {
    await Promise.resolve();
    expect(gate.holder).toBe(who);
    gate.leave(who);
  }
  await Promise.resolve();
  expect(entered).toEqual(["a", "b", "c"]);
  expect(gate.holder).toBeUndefined();
});

test("who holds the gate enters again at once", async () => {
  const gate = new Gate<object>();
  const holder = {};
  await gate.ask(holder);
  void gate.ask({});
  expect(await gate.ask(holder)).toBe(true);
});

test("who gave up is told so and does not stand in the line", async () => {
  const gate = new Gate<object>();
  const [holder, quitter, next] = [{}, {}, {}];
  await gate.ask(holder);
  const asked = gate.ask(quitter);
  void gate.ask(next);
  gate.giveUp(quitter);
  expect(await asked).toBe(false);
  gate.leave(holder);
  expect(gate.holder).toBe(next);
});

test("nobody opens the gate but its holder", async () => {
  const gate = new Gate<object>();
  const holder = {};
  await gate.ask(holder);
  gate.leave({});
  expect(gate.holder).toBe(holder);
});
