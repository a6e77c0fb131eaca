import type { DecodedAttribute } from './attributes.ts';
import type { Decoded, DecodedMessage } from './decoded.ts';
import { placeOf } from './found.ts';

/** Formats decoded messages as text: a line for each message, with its attributes below, indented by nesting. */
export function formatDecoded({ messages, notes }: Decoded): string {
  const parts = messages.map((message) => `${placeOf(message)}\n${formatMessage(message, '  ')}`);
  return [...parts, ...notes.map((note) => `note: ${safe(note)}\n`)].join('\n');
}

function formatMessage(message: DecodedMessage, indent: string): string {
  const { length, flags, sequence, port, request, attributes = [], hex, notes } = message;
  const lines = [
    `${indent}${nameOf(message)}  ${length} bytes, flags ${flags}, seq ${sequence}, pid ${port}\n`,
    ...notes.map((note) => `${indent}  note: ${safe(note)}\n`),
    ...(hex === undefined ? [] : [`${indent}  ${hex}\n`]),
    ...attributes.map((attribute) => formatAttribute(attribute, `${indent}  `)),
  ];
  if (request) lines.push(`${indent}  of the request\n`, formatMessage(request, `${indent}    `));
  return lines.join('');
}

function nameOf({ family, command, type, errno, error, direction }: DecodedMessage): string {
  const arrow = direction === undefined ? '' : direction === 'to-kernel' ? '> ' : '< ';
  const title = [family ?? (command === undefined ? `type ${type}` : undefined), command]
    .filter(Boolean)
    .join(' ');
  const result = errno === undefined ? '' : errno === 0 ? ' 0 (success)' : ` ${errno} ${error}`;
  return `${arrow}${safe(title)}${result}`;
}

function formatAttribute(
  { name, type, value, unit = '', hex, note }: DecodedAttribute,
  indent: string,
): string {
  const title = `${indent}${name ?? `attribute ${type}`}`;
  const remark = note === undefined ? '' : `  (${note})`;
  if (typeof value === 'object') {
    return `${title}${remark}\n${value.map((each) => formatAttribute(each, `${indent}  `)).join('')}`;
  }
  const shown = value === undefined ? (hex ?? '') : typeof value === 'number' ? String(value) : safe(value);
  return `${title}: ${shown}${unit}${remark}\n`;
}

/** Formats decoded messages as JSON, with control and invisible characters escaped. */
export function jsonOf(decoded: Decoded): string {
  return escaped(JSON.stringify(decoded, null, 2));
}

/** Text of other programs made safe for a terminal; quoted if it is empty or has control or invisible characters. */
function safe(text: string): string {
  return text === '' || /\n/.test(text) || HIDDEN.test(text) ? escaped(JSON.stringify(text)) : text;
}

function escaped(json: string): string {
  return json.replaceAll(new RegExp(HIDDEN, 'gu'), (found) =>
    found
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Control characters except the line break, and invisible characters: direction marks, zero-width characters, separators. */
const HIDDEN = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
