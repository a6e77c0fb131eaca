import {
  type Document,
  isScalar,
  Lexer,
  LineCounter,
  type ParseOptions,
  Parser,
  parseAllDocuments,
  type SchemaOptions,
  visit,
} from 'yaml';
import { BOUNDS } from './bounds.ts';
import { shown } from './rejection.ts';

/** A mistake in YAML, and its place. Line and column count from 1. */
export interface YamlMistake {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The documents of a YAML text. Use them only if `mistake` is null. */
export interface Yaml {
  readonly documents: readonly Document.Parsed[];
  /** Where each document begins, by line. */
  readonly firstLines: readonly number[];
  /** The first thing that is wrong; null when there is nothing. */
  readonly mistake: YamlMistake | null;
}

/**
 * Parses all documents of a text. Besides what the grammar forbids, these are mistakes: a value nested deeper than
 * `BOUNDS.depth`, which would overflow the stack; a key that a map has twice; and a tag that nothing here reads (`!foo`,
 * `!!js/function`), since the value without it may mean something else. Takes time in proportion to the text.
 */
export function parseYaml(text: string, options: ParseOptions & SchemaOptions): Yaml {
  const deep = tooDeep(text);
  if (deep !== null) return { documents: [], firstLines: [], mistake: deep };
  const lines = new LineCounter();
  // The check of the library compares every key of a map with every other one.
  const parsed = parseAllDocuments(text, {
    ...options,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
  });
  const mistakes = [...('errors' in parsed ? parsed.errors : parsed.flatMap(problemsOf))];
  const [first] = mistakes.map(({ message, pos }) => ({ message, at: pos[0] }));
  const repeated = first ?? repeatedKey(parsed, options.merge === true);
  return {
    documents: [...parsed],
    firstLines: parsed.map(({ range }) => lines.linePos(range[0]).line),
    mistake: repeated === null ? null : placed(repeated.message, repeated.at, lines),
  };
}

function placed(message: string, offset: number, lines: LineCounter): YamlMistake {
  const { line, col } = lines.linePos(offset);
  return { message, line, column: col };
}

function problemsOf({ errors, warnings }: Document.Parsed) {
  return [...errors, ...warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED')];
}

/** Builds the outer tree, which needs no recursion, only as far as it is too deep. */
function tooDeep(text: string): YamlMistake | null {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    const { stack } = parser;
    if (stack.length > BOUNDS.depth && stack.filter((token) => 'items' in token).length > BOUNDS.depth)
      return placed(`nested deeper than ${BOUNDS.depth} levels`, parser.offset, lines);
  }
  return null;
}

function repeatedKey(
  documents: readonly Document.Parsed[],
  merge: boolean,
): { readonly message: string; readonly at: number } | null {
  let found: { readonly message: string; readonly at: number } | null = null;
  for (const document of documents) {
    visit(document, {
      Map(_, map) {
        const keys = new Set<unknown>();
        for (const { key } of map.items) {
          if (!isScalar(key) || (merge && key.value === '<<')) continue;
          if (keys.has(key.value)) {
            found = {
              message: `Map keys must be unique, got ${shown(key.value)} again`,
              at: key.range?.[0] ?? 0,
            };
            return visit.BREAK;
          }
          keys.add(key.value);
        }
        return undefined;
      },
    });
  }
  return found;
}
