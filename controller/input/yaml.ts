import {
  Composer,
  type CST,
  type Document,
  isScalar,
  Lexer,
  LineCounter,
  type ParseOptions,
  Parser,
  type SchemaOptions,
  visit,
  type YAMLError,
} from 'yaml';
import { BOUNDS } from './bounds.ts';
import { shown } from './rejection.ts';

/** A mistake in YAML, and its place. Line and column count from 1. */
export interface YamlMistake {
  /** May quote the text. */
  readonly message: string;
  /** The same without a word of the text, for files with secrets. */
  readonly unquoted: string;
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
  const lines = new LineCounter();
  lines.addNewLine(0);
  const { tokens, tooDeepAt } = tokensOf(text, lines);
  if (tooDeepAt !== null) {
    const message = `nested deeper than ${BOUNDS.depth} levels`;
    return { documents: [], firstLines: [], mistake: placed({ message, at: tooDeepAt }, lines) };
  }
  const { documents, problems } = composed(tokens, text.length, options);
  const [problem] = problems;
  const found: Mistake | null =
    problem === undefined
      ? repeatedKey(documents, options.merge === true)
      : { message: problem.message, unquoted: QUOTING[problem.code], at: problem.pos[0] };
  return {
    documents,
    firstLines: documents.map(({ range }) => lines.linePos(range[0]).line),
    mistake: found === null ? null : placed(found, lines),
  };
}

interface Mistake {
  readonly message: string;
  /** Undefined for a `message` that never quotes the text. */
  readonly unquoted?: string | undefined;
  readonly at: number;
}

/** The codes of the library whose messages may quote the text, and what to say instead. */
const QUOTING: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_DIRECTIVE: 'Invalid directive',
  BAD_DQ_ESCAPE: 'Invalid escape sequence',
  BAD_SCALAR_START: 'Invalid first character of a value',
  TAG_RESOLVE_FAILED: 'Unresolved tag',
  UNEXPECTED_TOKEN: 'Unexpected characters',
};

function placed({ message, unquoted = message, at }: Mistake, lines: LineCounter): YamlMistake {
  const { line, col } = lines.linePos(at);
  return { message, unquoted, line, column: col };
}

/** The outer tree, which needs no recursion, as far as its first mistake; `tooDeepAt` is where it is nested too deep, if it is. */
function tokensOf(
  text: string,
  lines: LineCounter,
): { readonly tokens: readonly CST.Token[]; readonly tooDeepAt: number | null } {
  const tokens: CST.Token[] = [];
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === 'error') return { tokens, tooDeepAt: null };
    }
    const { stack } = parser;
    if (stack.length > BOUNDS.depth && stack.filter((token) => 'items' in token).length > BOUNDS.depth)
      return { tokens, tooDeepAt: parser.offset };
  }
  tokens.push(...parser.end());
  return { tokens, tooDeepAt: null };
}

/** The documents, and what is wrong in them, in order. */
function composed(
  tokens: readonly CST.Token[],
  length: number,
  options: ParseOptions & SchemaOptions,
): { readonly documents: readonly Document.Parsed[]; readonly problems: readonly YAMLError[] } {
  // The check of the library compares every key of a map with every other one.
  const composer = new Composer({ ...options, uniqueKeys: false });
  // A megabyte of mistakes becomes hundreds of thousands of errors, and most of their time would be spent on stacks that nobody reads.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const documents = [...composer.compose(tokens, false, length)];
    const problems = documents.length === 0 ? composer.streamInfo().errors : documents.flatMap(problemsOf);
    return { documents, problems };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function problemsOf({ errors, warnings }: Document.Parsed): readonly YAMLError[] {
  return [...errors, ...warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED')];
}

function repeatedKey(documents: readonly Document.Parsed[], merge: boolean): Mistake | null {
  let found: Mistake | null = null;
  for (const document of documents) {
    visit(document, {
      Map(_, map) {
        const keys = new Set<unknown>();
        for (const { key } of map.items) {
          if (!isScalar(key) || (merge && key.value === '<<')) continue;
          if (keys.has(key.value)) {
            found = {
              message: `Map keys must be unique, got ${shown(key.value)} again`,
              unquoted: 'Map keys must be unique',
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
