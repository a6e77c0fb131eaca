import type { Config } from '../../config/config.ts';
import { optionAsWritten, usage } from '../../config/option-text.ts';
import { ControllerError, messageOf } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import { type StatusDocument, statusDocument } from '../../status/document.ts';
import { namespaceText } from '../../status/print-namespace.ts';
import { statusText, vipsText, wideText } from '../../status/print-text.ts';
import { quoted, visible } from '../../text/visible.ts';
import { documentText } from '../document-text.ts';
import { EXIT_DIFFERENT, EXIT_OK } from '../exit-status.ts';
import type { Printer } from '../terminal.ts';
import { type Controller, openController } from './controller.ts';
import { query } from './query.ts';

export interface StatusPorts extends Pick<Printer, 'print' | 'printError' | 'redraw' | 'layout'> {
  readonly clock: Pick<Clock, 'sleep'>;
}

/** The interval of `--watch`. */
const WATCH_MS = 2_000;

/**
 * Prints the status of the running controller: of all VIPs, of those that match `name`, or of the network namespace of
 * `--netns`. Resolves with the exit status: 0, or 1 if no VIP or namespace matches. Rejects with a `ControllerError` if the
 * controller does not answer.
 *
 * With `--watch` it repeats this every two seconds until `signal` aborts, redrawing a terminal. Errors after the first time
 * are shown, and do not end it.
 */
export async function status(
  config: Config,
  name: string | null,
  ports: StatusPorts,
  signal: AbortSignal,
): Promise<number> {
  const read = await readerFor(config, name, ports);
  try {
    const first = await read(signal);
    if (!config.watch) {
      if (first.noMatch !== null) ports.printError(first.noMatch);
      ports.print(first.text);
      return first.noMatch === null ? EXIT_OK : EXIT_DIFFERENT;
    }
    ports.redraw(first.noMatch ?? first.text);
    for (;;) {
      await ports.clock.sleep(WATCH_MS, signal);
      if (signal.aborted) return EXIT_OK;
      ports.redraw(await read(signal).then(({ noMatch, text }) => noMatch ?? text, errorText));
    }
  } catch (error) {
    if (signal.aborted) return EXIT_OK;
    throw error;
  }
}

interface StatusText {
  readonly text: string;
  /** The message if no VIP or namespace matches; null if one does. */
  readonly noMatch: string | null;
}

async function readerFor(
  config: Config,
  name: string | null,
  ports: StatusPorts,
): Promise<(signal: AbortSignal) => Promise<StatusText>> {
  if (name !== null && config.netns !== undefined)
    throw usage(
      `status ${quoted(name)} and ${optionAsWritten(config, 'netns')} are both given, expected one of them`,
    );
  const controller = await openController(config);
  if (config.netns !== undefined) return namespaceReader(controller, config, config.netns, ports);
  const path = name === null ? '/v1/status' : `/v1/status?vip=${encodeURIComponent(name)}`;
  const formatStatus = (document: StatusDocument, raw: unknown) =>
    // Scripts get the raw document, with any keys that a newer controller has added.
    documentText(config.output, raw, () => {
      const layout = ports.layout();
      if (name !== null) return document.vips.length === 0 ? '' : vipsText(document, layout);
      return config.output === 'wide' ? wideText(document, layout) : statusText(document, layout);
    });
  return async (signal) => {
    const { document, raw } = await query(controller, path, statusDocument, signal);
    const noMatch = name !== null && document.vips.length === 0 ? `no VIP matches ${quoted(name)}` : null;
    return { noMatch, text: formatStatus(document, raw) };
  };
}

function namespaceReader(
  controller: Controller,
  config: Config,
  netns: string,
  ports: StatusPorts,
): (signal: AbortSignal) => Promise<StatusText> {
  return async (signal) => {
    const { document } = await query(controller, '/v1/status', statusDocument, signal);
    const { networkNamespaces: report, at } = document;
    const namespace = report?.namespaces.find(({ id }) => id === netns);
    if (namespace === undefined) {
      const where =
        report === null ? ': that controller runs without --netns-dir' : ` in ${visible(report.directory)}`;
      return { noMatch: `no network namespace is called ${quoted(netns)}${where}`, text: '' };
    }
    const text = documentText(config.output, namespace, () => namespaceText(namespace, at, ports.layout()));
    return { noMatch: null, text };
  };
}

function errorText(error: unknown): string {
  if (error instanceof ControllerError) return messageOf(error);
  throw error;
}
