/**
 * Traces by the OpenTelemetry API: one trace follows a request through the job that it added to what the job landed.
 * Nothing is recorded until `startTracing` was called (see `tracing-export.ts`); until then every span costs next to
 * nothing.
 *
 *   request (server) ──add_job──▶ jobs.traceparent ──claim──▶ job (consumer) ─┬─ run
 *                                                                             └─ land
 */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

export interface SpanOptions {
  readonly kind?: "internal" | "server" | "consumer" | "client";
  /** W3C Trace Context of the parent in another process; without one the enclosing span is the parent. */
  readonly traceparent?: string | null | undefined;
  readonly attributes?: Attributes;
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
} as const;

/** Runs the work inside a span; what it throws is recorded and thrown on. */
export function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { kind = "internal", traceparent, attributes = {} } = options;
  const parent = parseTraceparent(traceparent) ?? context.active();
  const settings = { kind: kinds[kind], attributes };
  return trace.getTracer("parlance").startActiveSpan(name, settings, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      if (error instanceof Error) span.recordException(error.name);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks the span as failed, by a code of ours and never by a text that may hold someone's words. */
export function markFailed(span: Span, code: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}

/** The active span as W3C Trace Context, or undefined when nothing is recorded. */
export function currentTraceparent(): string | undefined {
  const active = trace.getSpanContext(context.active());
  if (!active || !isSpanContextValid(active)) return undefined;
  const flags = active.traceFlags.toString(16).padStart(2, "0");
  return `00-${active.traceId}-${active.spanId}-${flags}`;
}

const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** https://www.w3.org/TR/trace-context/#traceparent-header; what is not one begins a trace of its own. */
function parseTraceparent(text: string | null | undefined): Context | undefined {
  const [, traceId, spanId, flags] = traceparentPattern.exec(text ?? "") ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? trace.setSpanContext(ROOT_CONTEXT, remote) : undefined;
}
