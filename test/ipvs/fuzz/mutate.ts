/** Changes to a reply that know netlink: lengths, types, nests, and whole attributes and messages. */

import { viewOf } from '../../../ipvs/src/codec.ts';
import type { Random } from '../../simulate/random.ts';

const MESSAGE_HEADER = 16;
const GENL_HEADER = 4;

/** No datagram of the kernel's is longer than the room that the socket has. */
const MAX_BYTES = 65_535;

/** Numbers at which code goes wrong. */
const EDGES = [
  0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 0x7f, 0x80, 0xff, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xfffe, 0xffff,
];

/** Where an attribute's header is, and where the attribute ends. */
interface Place {
  readonly at: number;
  readonly end: number;
}

/** One to four changes to some messages of the corpus. */
export function mutated(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = random.pick(corpus).slice();
  for (let rest = 1 + random.below(4); rest > 0; rest--) bytes = random.pick(MUTATORS)(bytes, random, corpus);
  return bytes.subarray(0, MAX_BYTES);
}

type Mutator = (bytes: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array;

const MUTATORS: readonly Mutator[] = [
  flipBit,
  setByte,
  setWord,
  cutOff,
  attributeLength,
  attributeLength,
  attributeType,
  attributeType,
  attributeValue,
  attributeValue,
  removeAttribute,
  repeatAttribute,
  swapAttributes,
  nestDeeper,
  fillAttribute,
  messageHeader,
  command,
  appendMessage,
  repeatMessage,
  insertBytes,
];

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function setWord(bytes: Uint8Array, random: Random): Uint8Array {
  return setUint16(bytes, random.below(bytes.length) & ~1, random.pick(EDGES));
}

function cutOff(bytes: Uint8Array, random: Random): Uint8Array {
  const cut = bytes.slice(0, random.below(bytes.length + 1));
  return random.chance(0.5) ? withLength(cut) : cut;
}

function attributeLength(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  const near = end - at + random.below(9) - 4;
  return setUint16(bytes, at, random.chance(0.5) ? near : random.pick(EDGES));
}

function attributeType(bytes: Uint8Array, random: Random): Uint8Array {
  const { at } = pickAttribute(bytes, random);
  return setUint16(bytes, at + 2, random.chance(0.7) ? random.below(17) : random.pick(EDGES));
}

function attributeValue(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  const from = at + 4 + random.below(Math.max(1, end - at - 4));
  return setUint16(bytes, from, random.pick(EDGES));
}

/** Every byte of a value the same: names without an end, all ones, negative numbers. */
function fillAttribute(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  return bytes.fill(random.pick([0, 1, 0x1b, 0x41, 0x7f, 0x80, 0xc3, 0xff]), at + 4, end);
}

function removeAttribute(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  return withLength(joined(bytes.subarray(0, at), bytes.subarray(aligned(end))));
}

function repeatAttribute(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  const one = bytes.subarray(at, aligned(end));
  const many = Array.from({ length: 1 + random.below(random.chance(0.02) ? 200 : 3) }, () => one);
  return withLength(joined(bytes.subarray(0, at), ...many, bytes.subarray(at)));
}

function swapAttributes(bytes: Uint8Array, random: Random): Uint8Array {
  const one = pickAttribute(bytes, random);
  const other = pickAttribute(bytes, random);
  const [type, otherType] = [uint16(bytes, one.at + 2), uint16(bytes, other.at + 2)];
  setUint16(bytes, one.at + 2, otherType);
  return setUint16(bytes, other.at + 2, type);
}

/** A nest around an attribute, once or many times, of the type that it has or another. */
function nestDeeper(bytes: Uint8Array, random: Random): Uint8Array {
  const { at, end } = pickAttribute(bytes, random);
  let inner = bytes.slice(at, aligned(end));
  for (let depth = 1 + random.below(random.chance(0.02) ? 100 : 3); depth > 0; depth--) {
    const outer = new Uint8Array(4 + inner.length);
    outer.set(inner, 4);
    setUint16(outer, 0, outer.length);
    setUint16(outer, 2, 0x8000 | random.below(14));
    inner = outer;
  }
  return withLength(joined(bytes.subarray(0, at), inner, bytes.subarray(aligned(end))));
}

function messageHeader(bytes: Uint8Array, random: Random): Uint8Array {
  const values = random.chance(0.5) ? EDGES : [bytes.length - 1, bytes.length + 1, 16, 20, 28];
  return setUint16(bytes, 2 * random.below(MESSAGE_HEADER / 2), random.pick(values));
}

function command(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length > MESSAGE_HEADER) bytes[MESSAGE_HEADER] = random.below(19);
  return bytes;
}

function appendMessage(bytes: Uint8Array, random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const other = random.pick(corpus);
  return random.chance(0.5) ? joined(padded(bytes), other) : joined(padded(other), bytes);
}

function repeatMessage(bytes: Uint8Array, random: Random): Uint8Array {
  return joined(
    ...Array.from({ length: 2 + random.below(random.chance(0.05) ? 60 : 3) }, () => padded(bytes)),
  );
}

function insertBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const some = new Uint8Array(1 + random.below(8)).fill(random.below(256));
  return joined(bytes.subarray(0, at), some, bytes.subarray(at));
}

/** Any attribute of the first message, at any depth; what cannot be walked gives some place in it. */
function pickAttribute(bytes: Uint8Array, random: Random): Place {
  let found: Place = { at: Math.min(MESSAGE_HEADER + GENL_HEADER, bytes.length), end: bytes.length };
  for (let depth = 1 + random.below(4); depth > 0; depth--) {
    const places = attributesIn(bytes, depth === 0 || found.at < 20 ? 20 : found.at, found.end);
    if (places.length === 0) break;
    const picked = random.pick(places);
    if (random.chance(0.3)) return picked;
    found = { at: picked.at, end: picked.end };
    const inside = attributesIn(bytes, picked.at + 4, picked.end);
    if (inside.length === 0) return picked;
    found = random.pick(inside);
  }
  return found;
}

function attributesIn(bytes: Uint8Array, from: number, to: number): readonly Place[] {
  const places: Place[] = [];
  for (let at = from; at + 4 <= to; ) {
    const length = uint16(bytes, at);
    if (length < 4 || at + length > to) return places;
    places.push({ at, end: at + length });
    at += aligned(length);
  }
  return places;
}

function uint16(bytes: Uint8Array, at: number): number {
  return at + 2 <= bytes.length ? viewOf(bytes).getUint16(at, true) : 0;
}

function setUint16(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at >= 0 && at + 2 <= bytes.length) viewOf(bytes).setUint16(at, value & 0xffff, true);
  return bytes;
}

/** The same with a first message that is as long as it says; its nests may still say otherwise. */
function withLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= 4) viewOf(bytes).setUint32(0, bytes.length, true);
  return bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
  return joined(bytes, new Uint8Array(aligned(bytes.length) - bytes.length));
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
