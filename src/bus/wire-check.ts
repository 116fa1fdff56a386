/**
 * Walks MessagePack bytes without building anything, so that hostile input is refused before a decoder
 * allocates or recurses. Format: github.com/msgpack/msgpack, spec.md.
 */

/** One head: what follows it directly, and how many values it holds. */
interface Head {
  kind: 'scalar' | 'float' | 'integer64' | 'text' | 'array' | 'map' | 'refused';
  /** Bytes after the head byte that belong to the value itself (a length field included). */
  bytes: number;
  /** Values inside; a map's keys count. */
  children: number;
}

/** A head of a byte and a field: the value itself, its length in bytes, or its count of values. */
interface LongForm {
  readonly kind: Head['kind'];
  readonly field: 'value' | 'length' | 'count';
  /** Bytes of the field. */
  readonly width: number;
}

const form = (kind: Head['kind'], field: LongForm['field'], width: number): LongForm => ({
  kind,
  field,
  width,
});

/** By head byte. Extensions (0xc7 to 0xc9, 0xd4 to 0xd8) and the unused 0xc1 are left out. */
const longForms: { readonly [byte: number]: LongForm } = {
  0xc4: form('scalar', 'length', 1),
  0xc5: form('scalar', 'length', 2),
  0xc6: form('scalar', 'length', 4),
  0xca: form('float', 'value', 4),
  0xcb: form('float', 'value', 8),
  0xcc: form('scalar', 'value', 1),
  0xcd: form('scalar', 'value', 2),
  0xce: form('scalar', 'value', 4),
  0xcf: form('integer64', 'value', 8),
  0xd0: form('scalar', 'value', 1),
  0xd1: form('scalar', 'value', 2),
  0xd2: form('scalar', 'value', 4),
  0xd3: form('integer64', 'value', 8),
  0xd9: form('text', 'length', 1),
  0xda: form('text', 'length', 2),
  0xdb: form('text', 'length', 4),
  0xdc: form('array', 'count', 2),
  0xdd: form('array', 'count', 4),
  0xde: form('map', 'count', 2),
  0xdf: form('map', 'count', 4),
};

/** What is wrong with the bytes, as the end of a sentence; undefined when they are one plain value. */
export function checkWire(bytes: Uint8Array, maxDepth: number): string | undefined {
  return new WireWalk(bytes, maxDepth).fault();
}

class WireWalk {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly maxDepth: number;
  /** Values still to come per open array or map, never 0 between steps. */
  private readonly remaining: number[] = [];
  private readonly inMap: boolean[] = [];
  private readonly head: Head = { kind: 'scalar', bytes: 0, children: 0 };
  private offset = 0;

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.maxDepth = maxDepth;
  }

  fault(): string | undefined {
    do {
      const isKey = this.expectsKey();
      const start = this.offset;
      const fault = this.step(isKey);
      if (fault) return `${fault} (at byte ${start})`;
    } while (this.remaining.length > 0);
    const rest = this.bytes.length - this.offset;
    return rest > 0 ? `has ${rest} bytes after its end` : undefined;
  }

  private expectsKey(): boolean {
    const last = this.remaining.length - 1;
    return this.inMap[last] === true && (this.remaining[last] as number) % 2 === 0;
  }

  private step(isKey: boolean): string | undefined {
    if (this.offset >= this.bytes.length) return 'ends too early';
    this.readHead();
    const { head } = this;
    const start = this.offset;
    this.offset += 1 + head.bytes;
    if (head.kind === 'refused') return 'uses an extension type';
    if (this.offset > this.bytes.length) return 'ends too early';
    if (isKey && head.kind !== 'text') return 'has a key that is not a string';
    if (isKey && this.isProto(start)) return 'has a key named __proto__';
    if (head.kind === 'float' || head.kind === 'integer64') {
      if (!this.isSafeNumber(start)) return 'holds a number that JSON cannot hold';
    }
    return this.enter();
  }

  /** Accounts for the value just read and opens it when it is a container. */
  private enter(): string | undefined {
    const { head, remaining } = this;
    const parent = remaining.length - 1;
    if (parent >= 0) remaining[parent] = (remaining[parent] as number) - 1;
    if (head.children > this.bytes.length - this.offset)
      return 'claims more values than it has bytes';
    if (head.children > 0) {
      remaining.push(head.children);
      this.inMap.push(head.kind === 'map');
    } else if (
      (head.kind === 'map' || head.kind === 'array') &&
      remaining.length >= this.maxDepth
    ) {
      return `is nested deeper than ${this.maxDepth} levels`;
    }
    if (remaining.length > this.maxDepth) return `is nested deeper than ${this.maxDepth} levels`;
    while (remaining.length > 0 && remaining.at(-1) === 0) {
      remaining.pop();
      this.inMap.pop();
    }
    return undefined;
  }

  private readHead(): void {
    const byte = this.bytes[this.offset] as number;
    if (byte < 0x80 || byte >= 0xe0 || byte === 0xc0 || byte === 0xc2 || byte === 0xc3)
      this.set('scalar', 0);
    else if (byte < 0x90) this.set('map', 0, (byte & 0x0f) * 2);
    else if (byte < 0xa0) this.set('array', 0, byte & 0x0f);
    else if (byte < 0xc0) this.set('text', byte & 0x1f);
    else this.readLongHead(byte);
  }

  private readLongHead(byte: number): void {
    const long = longForms[byte];
    if (!long) this.set('refused', 0);
    else if (long.field === 'length') this.setSized(long.kind, long.width);
    else if (long.field === 'count') this.setCounted(long.kind, long.width);
    else this.set(long.kind, long.width);
  }

  /** Strings and bytes: a length field of `width` bytes, then so many bytes. */
  private setSized(kind: Head['kind'], width: number): void {
    this.set(kind, width + this.lengthField(width));
  }

  private setCounted(kind: Head['kind'], width: number): void {
    this.set(kind, width, this.lengthField(width) * (kind === 'map' ? 2 : 1));
  }

  private set(kind: Head['kind'], bytes: number, children = 0): void {
    this.head.kind = kind;
    this.head.bytes = bytes;
    this.head.children = children;
  }

  /** A field that is cut off reads as endless, which the caller finds too long. */
  private lengthField(width: number): number {
    const at = this.offset + 1;
    if (at + width > this.bytes.length) return Infinity;
    if (width === 1) return this.view.getUint8(at);
    return width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private isSafeNumber(start: number): boolean {
    const byte = this.bytes[start];
    if (byte === 0xca) return Number.isFinite(this.view.getFloat32(start + 1));
    if (byte === 0xcb) return Number.isFinite(this.view.getFloat64(start + 1));
    const wide =
      byte === 0xcf ? this.view.getBigUint64(start + 1) : this.view.getBigInt64(start + 1);
    return Number.isSafeInteger(Number(wide));
  }

  private isProto(start: number): boolean {
    if (this.textLength(start) !== protoKey.length) return false;
    const text = this.bytes.subarray(this.offset - protoKey.length, this.offset);
    return text.every((byte, index) => byte === protoKey.charCodeAt(index));
  }

  private textLength(start: number): number {
    const byte = this.bytes[start] as number;
    return byte < 0xc0 ? byte & 0x1f : this.head.bytes - (1 << (byte - 0xd9));
  }
}

const protoKey = '__proto__';
