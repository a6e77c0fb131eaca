import type { Config } from '../../config/config.ts';
import { givenAs, usage } from '../../config/given.ts';
import { ControllerError, messageOf } from '../../errors.ts';
import { EXIT_DIFFERENT, EXIT_OK } from '../../exit-status.ts';
import type { Clock } from '../../ports.ts';
import { type StatusDocument, statusDocument } from '../../status/document.ts';
import { namespaceText } from '../../status/print-namespace.ts';
import { statusText, vipsText, wideText } from '../../status/print-text.ts';
import { quoted, visible } from '../../visible.ts';
import { documentText } from '../document-text.ts';
import type { Printer } from '../terminal.ts';
import { type Controller, openController } from './controller.ts';
import { query } from './query.ts';

export interface StatusPorts extends Pick<Printer, 'print' | 'printError' | 'redraw' | 'layout'> {
  readonly clock: Pick<Clock, 'sleep'>;
}

/** How long between two looks of `--watch`. */
const WATCH_MS = 2_000;

/**
 * Prints what the running controller knows of its VIPs, or of those that `name` means; with `--netns` of that network namespace.
 * Resolves with the exit status: 0, or 1 when no VIP, or namespace, matches so. Rejects with a `ControllerError` when the
 * controller does not answer.
 *
 * With `--watch` it does so every two seconds until `signal` aborts, redrawing a terminal; what goes wrong after the
 * first time is shown, and tried again.
 */
export async function status(
  config: Config,
  name: string | null,
  ports: StatusPorts,
  signal: AbortSignal,
): Promise<number> {
  const look = await lookFor(config, name, ports);
  try {
    const first = await look(signal);
    if (!config.watch) {
      if (first.none !== null) ports.printError(first.none);
      ports.print(first.text);
      return first.none === null ? EXIT_OK : EXIT_DIFFERENT;
    }
    ports.redraw(first.none ?? first.text);
    for (;;) {
      await ports.clock.sleep(WATCH_MS, signal);
      if (signal.aborted) return EXIT_OK;
      ports.redraw(await look(signal).then(({ none, text }) => none ?? text, explain));
    }
  } catch (error) {
    if (signal.aborted) return EXIT_OK;
    throw error;
  }
}

interface Look {
  readonly text: string;
  /** The line to say when no VIP, or namespace, matches as asked; null when one does. */
  readonly none: string | null;
}

async function lookFor(
  config: Config,
  name: string | null,
  ports: StatusPorts,
): Promise<(signal: AbortSignal) => Promise<Look>> {
  if (name !== null && config.netns !== undefined)
    throw usage(
      `status ${quoted(name)} and ${givenAs(config, 'netns')} are both given, expected one of them`,
    );
  const controller = await openController(config);
  if (config.netns !== undefined) return lookInto(controller, config, config.netns, ports);
  const path = name === null ? '/v1/status' : `/v1/status?vip=${encodeURIComponent(name)}`;
  const formatStatus = (document: StatusDocument, raw: unknown) =>
    // What a newer controller tells besides is passed on to scripts.
    documentText(config.output, raw, () => {
      const layout = ports.layout();
      if (name !== null) return document.vips.length === 0 ? '' : vipsText(document, layout);
      return config.output === 'wide' ? wideText(document, layout) : statusText(document, layout);
    });
  return async (signal) => {
    const { document, raw } = await query(controller, path, statusDocument, signal);
    const none = name !== null && document.vips.length === 0 ? `no VIP matches ${quoted(name)}` : null;
    return { none, text: formatStatus(document, raw) };
  };
}

function lookInto(
  controller: Controller,
  config: Config,
  netns: string,
  ports: StatusPorts,
): (signal: AbortSignal) => Promise<Look> {
  return async (signal) => {
    const { document } = await query(controller, '/v1/status', statusDocument, signal);
    const { networkNamespaces: report, at } = document;
    const namespace = report?.namespaces.find(({ id }) => id === netns);
    if (namespace === undefined) {
      const where =
        report === null ? ': that controller runs without --netns-dir' : ` in ${visible(report.directory)}`;
      return { none: `no network namespace is called ${quoted(netns)}${where}`, text: '' };
    }
    const text = documentText(config.output, namespace, () => namespaceText(namespace, at, ports.layout()));
    return { none: null, text };
  };
}

function explain(error: unknown): string {
  if (error instanceof ControllerError) return messageOf(error);
  throw error;
}
