/** What a call came to; failures are errors of its job. */
export type DeliveryOutcome =
  | { readonly state: "delivered"; readonly statusCode: number; readonly tookMs: number }
  /** Nobody wants it any more. */
  | { readonly state: "cancelled" };
