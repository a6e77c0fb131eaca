/** Filters for the files of a bundle, by their format. */

import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isRecord } from '../input/rejection.ts';
import type { NamedAddresses } from '../model/name-memory.ts';
import type { Report } from '../plan/plan.ts';
import type { LedgerEntry } from '../ports.ts';
import { statusDocument } from '../status/document.ts';
import { ABOUT, APP, REJECTION, remark, vip } from './app-fields.ts';
import { withoutSecrets } from './free-text.ts';
import { filtered, message, name, type Shape, type ShapeOf } from './shape.ts';

/** Filters `/v1/status` of any version. Throws if it is not JSON, without quoting it. */
export function statusText(text: string): string {
  const document = parsed(text);
  if (!isRecord(document)) throw new Error('the answer is not a status document');
  return pretty(filtered(document, STATUS));
}

/** Formats every option with its value and where that comes from. */
export function optionsText(options: Readonly<Record<string, { value: unknown; from: string }>>): string {
  const rows = Object.entries(options).map(([option, { value, from }]) => [
    option,
    { value: cleaned(value), from },
  ]);
  return pretty(Object.fromEntries(rows));
}

/** Filters the messages about definitions in a diff. */
export function filteredReport(report: Report): Report {
  return {
    ...report,
    rejected: report.rejected.map((one) => filtered(one, REJECTION) as typeof one),
    warnings: report.warnings.map((text) => remark(text, '', {})),
  };
}

/**
 * Filters a journal of saved state. Each line gets the checksum of what is left of it, so that the journal still loads; lines
 * of another form are left out.
 */
export function stateText(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const kept = lines.map(journalLine).filter((line) => line !== null);
  const left = lines.length - kept.length;
  return [...kept, ...(left === 0 ? [] : [`lines left out because they have an unknown form: ${left}`])]
    .map((line) => `${line}\n`)
    .join('');
}

/** Filters `/metrics`: keeps lines of its format, and filters labels, which name VIPs and sources. */
export function metricsText(text: string): string {
  const kept = text.split('\n').flatMap((line) => {
    if (METRIC_COMMENT.test(line)) return [withoutSecrets(line)];
    if (!METRIC.test(line)) return [];
    return [line.replace(METRIC_LABEL, (_, key, value) => `${key}="${name(value, key, {})}"`)];
  });
  return kept.map((line) => `${line}\n`).join('');
}

const METRIC_COMMENT = /^# (?:HELP|TYPE) (?:marathon_ipvs|process|nodejs)_\w+ /;
const METRIC =
  /^(?:marathon_ipvs|process|nodejs)_\w+(?:\{.*\})? (?:[-+]?(?:[\d.]+(?:e[-+]?\d+)?|Inf)|Na[Nn])$/;
const METRIC_LABEL = /(?<!\w)(\w+)="((?:[^"\\]|\\.)*)"/g;

function journalLine(line: string): string | null {
  const [, sum = '', json = ''] = /^([0-9a-f]{8}) (.*)$/s.exec(line) ?? [];
  const kept = filteredRow(parsed(json));
  if (kept === null) return null;
  const text = JSON.stringify(kept);
  // A damaged line stays damaged.
  const isWhole = Number.parseInt(sum, 16) === crc32(json);
  return `${isWhole ? crc32(text).toString(16).padStart(8, '0') : sum} ${text}`;
}

function filteredRow(row: unknown): unknown {
  if (isRecord(row)) return filtered(row, { version: name, of: name });
  if (!Array.isArray(row)) return null;
  const [op, key, value] = row;
  if (op === 'saved' && typeof key === 'number') return [op, key];
  if (typeof key !== 'string') return null;
  const [, shape] = ROWS.find(([pattern]) => pattern.test(key)) ?? [];
  if (shape === undefined) return null;
  if (op === 'remove') return [op, key];
  return op === 'put' ? [op, key, filtered(value, shape)] : null;
}

const ADDRESSES: ShapeOf<NamedAddresses> = { ipv4: name, ipv6: name };
const LEDGER_ENTRY: ShapeOf<LedgerEntry> = {
  name,
  framework: name,
  fqdn: name,
  near: name,
  drains: { '*': name },
};

/** The shapes of the rows of all journals, by their keys. */
const ROWS: readonly (readonly [RegExp, Shape])[] = [
  [/^about$/, ABOUT],
  [/^(?:app|tasks) /, APP],
  [/^name /, ADDRESSES],
  [/^label /, vip],
  [/^serial$/, name],
  [/^(?:tcp|udp)\//, LEDGER_ENTRY],
];

/** Fields of the status that hold sentences and may quote error messages. */
const SENTENCES = /^(?:reason|message|error|failure|behind|endsWhen|problems|advice)$/;

const STATUS: Shape = {
  ...(shapeOfSchema('', z.toJSONSchema(statusDocument)) as Readonly<Record<string, Shape>>),
  rejected: [REJECTION],
  warnings: [remark],
};

/** Derives the shape from the status document's schema, so that unknown fields are left out. */
function shapeOfSchema(field: string, schema: z.core.JSONSchema._JSONSchema): Shape {
  if (typeof schema === 'boolean') return name;
  const { properties, items, additionalProperties, anyOf } = schema;
  const inner = anyOf?.find((one) => typeof one === 'object' && one.type !== 'null');
  if (inner !== undefined) return shapeOfSchema(field, inner);
  if (properties !== undefined)
    return Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, shapeOfSchema(key, value)]),
    );
  if (items !== undefined && !Array.isArray(items)) return [shapeOfSchema(field, items)];
  if (typeof additionalProperties === 'object') return { '*': shapeOfSchema(field, additionalProperties) };
  return SENTENCES.test(field) ? message : name;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(cleaned);
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleaned(one)]))
    : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pretty(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
