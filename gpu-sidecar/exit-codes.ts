/** With what the processes of a sidecar end, so that whoever started them knows what to do. */
export const exitCodes = {
  /** Told to end, and drained. */
  done: 0,
  /** It cannot go on, or was told twice to end. Starting it again may help. */
  failed: 1,
  /** It gives its memory back, or a model was installed: another one should take its place at once. */
  recycled: 10,
  /** What it was given is wrong: settings, login, models or the device. Starting it again helps nobody. */
  misconfigured: 78,
} as const;
