/**
 * EXIF is a TIFF file (TIFF 6.0, section 2): directories of entries that say how many values lie where. Entries may all
 * claim the same bytes, so 64 kB can claim gigabytes; a reader that believes them fills the memory.
 */
const directoriesMax = 8;
const claimedBytesMax = 4 << 20;

/** Bytes of one value of the TIFF types 1 to 12. */
const valueBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8] as const;
/** Entries that point to a further directory: Exif, GPS, interoperability. */
const pointers: ReadonlySet<number> = new Set([0x8769, 0x8825, 0xa005]);

/** False for a block that is broken or claims more values than any camera writes. */
export function isExifBounded(block: Uint8Array): boolean {
  const start = block[0] === 0x45 ? 6 : 0;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (block.byteLength < start + 8) return false;
  const littleEndian = view.getUint16(start) === 0x4949;
  const waiting = [view.getUint32(start + 4, littleEndian)];
  let claimed = 0;
  for (let visited = 0; waiting.length > 0; visited++) {
    const offset = start + (waiting.pop() ?? 0);
    if (visited >= directoriesMax) return false;
    if (offset + 2 > block.byteLength) continue;
    const entries = readEntries(view, offset, littleEndian);
    claimed += entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (claimed > claimedBytesMax) return false;
    waiting.push(...entries.flatMap((entry) => entry.pointsTo ?? []));
    const next = offset + 2 + entries.length * 12;
    const following = visited === 0 && next + 4 <= block.byteLength ? view.getUint32(next, littleEndian) : 0;
    if (following > 0) waiting.push(following);
  }
  return true;
}

interface Entry {
  readonly bytes: number;
  readonly pointsTo?: number;
}

function readEntries(view: DataView, offset: number, littleEndian: boolean): Entry[] {
  const count = view.getUint16(offset, littleEndian);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const at = offset + 2 + 12 * i;
    if (at + 12 > view.byteLength) break;
    const tag = view.getUint16(at, littleEndian);
    const type = view.getUint16(at + 2, littleEndian);
    const bytes = view.getUint32(at + 4, littleEndian) * (valueBytes[type] ?? 0);
    entries.push(pointers.has(tag) ? { bytes, pointsTo: view.getUint32(at + 8, littleEndian) } : { bytes });
  }
  return entries;
}
