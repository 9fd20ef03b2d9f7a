/** Sends spans to an OpenTelemetry collector over OTLP/HTTP. Loaded only where an endpoint is set. */
import { context, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

export interface TracingOptions {
  /** Base URL of the collector; spans go to `<endpoint>/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that are kept, 0 to 1: of those that begin here, and of those that callers want kept. */
  readonly sampleShare: number;
  /** `parlance-edge` or `parlance-sidecar`. */
  readonly service: string;
  readonly version: string;
}

export interface Tracing {
  /** Sends what is waiting; never throws, for a lost trace must not lose work. */
  flush(): Promise<void>;
  /** Sends what is waiting and records no more. */
  stop(): Promise<void>;
}

const timeoutMs = 5_000;

/**
 * Anyone may write into a request that its trace is to be kept, and choose its id too: drawn by lot, no more are than of
 * all others. A job follows the request that added it.
 */
function limitCallers(share: number): Sampler {
  return {
    shouldSample: (_context, _traceId, _name, kind) => {
      const isKept = kind !== SpanKind.SERVER || Math.random() < share;
      return { decision: isKept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
    },
    toString: () => `LimitCallers{${share}}`,
  };
}

/** Once a process: the OpenTelemetry API keeps one provider. */
export function startTracing(options: TracingOptions): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": options.service, "service.version": options.version }),
    sampler: new ParentBasedSampler({
      root: new TraceIdRatioBasedSampler(options.sampleShare),
      remoteParentSampled: limitCallers(options.sampleShare),
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({
          url: `${options.endpoint}/v1/traces`,
          headers: { ...options.headers },
          timeoutMillis: timeoutMs,
        }),
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: timeoutMs,
      }),
    ],
  });
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  trace.setGlobalTracerProvider(provider);
  return {
    flush: () => provider.forceFlush().catch(() => {}),
    async stop() {
      await provider.shutdown().catch(() => {});
      trace.disable();
      context.disable();
    },
  };
}
