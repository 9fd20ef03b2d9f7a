/**
 * Whether an account may have mail about alerts sent to an address: to its own alone, so that nobody can have strangers
 * written to. Auth keeps an address once whatever its case, and names it in the token after it was confirmed.
 */
export function mayReceive(callerEmail: string | null | undefined, address: string): boolean {
  const own = callerEmail?.toLowerCase() ?? "";
  return isAddress(own) && own === address.toLowerCase();
}

/** One address alone, without a name, as mail servers take it in an envelope; quoted local parts are not. */
export function isAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[^\s@<>()[\]",;:\\\p{Cc}]{1,64}@[^\s@<>()[\]",;:\\\p{Cc}]{1,253}$/u.test(text)
  );
}
