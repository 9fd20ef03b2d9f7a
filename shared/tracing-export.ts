/** Sends spans to an OpenTelemetry collector over OTLP/HTTP. Loaded only where an endpoint is set. */
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

export interface TracingOptions {
  /** Base URL of the collector; spans go to `<endpoint>/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here, 0 to 1; what comes with a decision keeps it. */
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

/** Once a process: the OpenTelemetry API keeps one provider. */
export function startTracing(options: TracingOptions): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": options.service, "service.version": options.version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleShare) }),
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
