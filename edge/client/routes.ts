/**
 * The routes as a caller sees them, computed from the app's own type: what each takes, and what it answers.
 * Types only: nothing of the server is loaded by them.
 */
import type { z } from "@hono/zod-openapi";
import type { ExtractSchema } from "hono/types";
import type { JSONValue } from "hono/utils/types";
import type { App } from "../app.ts";
import type { Problem as ProblemSchema } from "../http/problems.ts";

type Schema = ExtractSchema<App>;

/** Every route by path and method: its input, and its answers by status. Any may also answer a problem. */
export type Routes = {
  [Path in keyof Schema]: { [Method in keyof Schema[Path]]: Route<Schema[Path][Method]> };
};

/** What went wrong: Problem Details for HTTP APIs (RFC 9457). */
export type Problem = Expand<z.infer<typeof ProblemSchema>>;

/** A route of the app: one of these for each of its answers. */
interface Endpoint {
  input: unknown;
  output: unknown;
  outputFormat: string;
  status: number;
}

type Route<Each> = [Each] extends [Endpoint]
  ? { input: Input<Each["input"]>; answers: { [One in Each as StatusOf<One>]: OutputOf<One> } }
  : never;

type StatusOf<One extends Endpoint> = One["output"] extends { requestId: string } ? never : One["status"];
type OutputOf<One extends Endpoint> = One["outputFormat"] extends "json"
  ? Expand<One["output"]>
  : One["outputFormat"] extends "text"
    ? string
    : undefined;

type Input<I> = Expand<Omit<I, "param" | "query" | "form" | "json"> & Param<I> & Query<I> & Body<I>>;

type Param<I> = I extends { param: infer P }
  ? { param: { [Name in keyof P]: unknown extends P[Name] ? string | number : P[Name] } }
  : unknown;

type Query<I> = I extends { query: infer Q }
  ? object extends Fields<Q>
    ? { query?: Fields<Q> }
    : { query: Fields<Q> }
  : unknown;

/** A route that takes a form or JSON names both for both; a form is what holds a file. */
type Body<I> = I extends { form: infer F; json: unknown }
  ? { form: Fields<WithFile<F>> } | { json: WithoutFile<F> }
  : I extends { form: infer F }
    ? { form: Fields<F> }
    : I extends { json: infer J }
      ? { json: J }
      : unknown;

type WithFile<T> = T extends { file: unknown } ? T : never;
type WithoutFile<T> = T extends { file: unknown } ? never : T;

/** Fields travel as text: what the server reads as a number may be one here. A Blob is a file without a name. */
type Fields<T> = { [Name in keyof T]: Field<T[Name]> };
type Field<T> = unknown extends T ? string | number | undefined : T extends File ? File | Blob : T;

/** The same type written out, so that it can be read, and published without ours. */
type Expand<T> = [JSONValue] extends [T] ? unknown : ExpandEach<T>;
type ExpandEach<T> = T extends string | number | boolean | null | undefined | Blob
  ? T
  : T extends (infer Item)[]
    ? Expand<Item>[]
    : { [Key in keyof T]: Expand<T[Key]> } & {};
