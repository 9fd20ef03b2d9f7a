import { AppError, type FieldError } from "../../shared/errors.ts";
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";

/** The kind and the payload as it keeps it, or a refusal that names the fields. */
export function checkPayload(
  kinds: ReadonlyMap<string, AnyJobKind>,
  { kind: name, payload }: { readonly kind: string; readonly payload: unknown },
  bytesMax: number,
): { kind: AnyJobKind; payload: Record<string, unknown> } {
  const kind = kinds.get(name);
  if (!kind)
    throw refuseField({
      field: "body.kind",
      message: `must be one of ${[...kinds.keys()].sort().join(", ")}`,
    });
  const parsed = kind.payload.safeParse(payload);
  if (!parsed.success) {
    const fields = parsed.error.issues.slice(0, 50).map((issue) => ({
      field: ["body.payload", ...issue.path].join(".").slice(0, 500),
      message: issue.message.slice(0, 500),
    }));
    throw new AppError("invalid_request", `The payload does not fit ${name}; see \`errors\`.`, { fields });
  }
  if (new TextEncoder().encode(JSON.stringify(parsed.data)).length > bytesMax) {
    throw refuseField({ field: "body.payload", message: `must be at most ${bytesMax} bytes as JSON` });
  }
  return { kind, payload: parsed.data };
}

export function refuseField(field: FieldError): AppError {
  return new AppError("invalid_request", `${field.field} ${field.message}.`, { fields: [field] });
}
