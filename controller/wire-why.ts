/** Builds what `why` reads its facts with. */

import { ask } from './command/ask.ts';
import { openController } from './command/controller.ts';
import { readAndPass } from './command/once.ts';
import type { Config } from './config/config.ts';
import { ControllerError, messageOf } from './errors.ts';
import type { Log } from './ports.ts';
import { statusDocument } from './status/document.ts';
import type { Known, WhyPorts } from './why/facts.ts';
import { knownFromPass, knownFromStatus } from './why/known.ts';
import { readKernel } from './why/read/kernel.ts';
import { wire } from './wire.ts';

/** Reads this host and network namespace; `known` tells what should be there. */
export function whyPorts(known: WhyPorts['known']): WhyPorts {
  return { known, kernel: readKernel };
}

/** What should be, from the running controller; where none answers, from the sources, as `diff` reads them. */
export function knownHere(config: Config, log: Log): WhyPorts['known'] {
  return async (signal) => {
    const mayRun = config.server !== undefined || (config.listen !== null && config.listen.port !== 0);
    try {
      if (mayRun) return await askStatus(config, signal);
    } catch (error) {
      if (config.server !== undefined || signal.aborted || config.source.length === 0) throw error;
      log.debug('no controller answers, the sources are read', { error: messageOf(error) });
    }
    if (config.source.length > 0) return await readSources(config, log, signal);
    throw new ControllerError(
      'usage',
      'why: no controller runs here and --source is missing, expected one of them',
      { retry: 'never' },
    );
  };
}

async function askStatus(config: Config, signal: AbortSignal): Promise<Known> {
  const controller = await openController(config);
  const { document } = await ask(controller, '/v1/status', statusDocument, signal);
  return knownFromStatus(document, controller.url);
}

async function readSources(config: Config, log: Log, signal: AbortSignal): Promise<Known> {
  const parts = await wire({ ...config, once: true, dryRun: true, dnsListen: [] }, log);
  try {
    const { pass } = await readAndPass(parts, signal);
    return knownFromPass(
      pass,
      parts.sources.map(({ name }) => name),
    );
  } finally {
    parts.close();
  }
}
