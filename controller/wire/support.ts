/** Wires the parts of a support bundle. */

import { readdir, readFile } from 'node:fs/promises';
import { arch, release, version as systemVersion, uptime } from 'node:os';
import { basename, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { openKernelTable } from '../apply/kernel-table.ts';
import { openController } from '../cli/commands/controller.ts';
import { askController } from '../cli/commands/doctor.ts';
import { readAndPass } from '../cli/commands/once.ts';
import { get } from '../cli/commands/query.ts';
import type { Config } from '../config/config.ts';
import { fileName } from '../config/option-text.ts';
import { optionNames } from '../config/options.ts';
import { version } from '../config/version.ts';
import { examine } from '../doctor/examine.ts';
import { doctorText } from '../doctor/print-text.ts';
import { readFacts } from '../doctor/read-facts.ts';
import { ControllerError } from '../errors.ts';
import { createLog } from '../log.ts';
import type { Step } from '../model/kernel.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import { toText } from '../plan/print-text.ts';
import { openTrusted } from '../state/trusted-file.ts';
import { reportOf } from '../status/report.ts';
import { LIMITS, type Part } from '../support/collect.ts';
import { filteredReport, metricsText, optionsText, stateText, statusText } from '../support/files.ts';
import { logText } from '../support/log-text.ts';
import { programPart } from '../support/programs.ts';
import { painter } from '../text/table.ts';
import { systemClock } from '../time.ts';
import { wire } from './wire.ts';

/** Returns all parts of a support bundle of this host. */
export async function supportParts(config: Config): Promise<readonly Part[]> {
  return [
    { name: 'version.txt', collect: versionText },
    { name: 'options.json', collect: async () => valuesOf(config), filter: alreadyFiltered },
    { ...answerPart(config, 'status.json', '/v1/status'), filter: statusText },
    answerPart(config, 'ready.txt', '/readyz?verbose'),
    { ...answerPart(config, 'metrics.txt', '/metrics'), filter: metricsText },
    { name: 'doctor.txt', collect: async (signal) => await examined(config, signal) },
    {
      name: 'diff.txt',
      collect: async (signal) => await difference(config, signal),
      filter: alreadyFiltered,
    },
    { name: 'ipvs.txt', collect: kernelText, filter: alreadyFiltered },
    programPart('ip-address.txt', ['ip', 'address']),
    programPart('ip-rule.txt', ['ip', 'rule']),
    programPart('ip-route.txt', ['ip', 'route', 'show', 'table', 'all']),
    programPart('ip-rule-6.txt', ['ip', '-6', 'rule']),
    programPart('ip-route-6.txt', ['ip', '-6', 'route', 'show', 'table', 'all']),
    programPart('nft-ruleset.txt', ['nft', 'list', 'ruleset']),
    {
      ...programPart('log.txt', ['journalctl', '--no-pager', '--unit', 'marathon-ipvs', ...LOG_LINES]),
      keep: 'end',
      filter: logText,
    },
    filePart(`run/${basename(config.ledger)}`, config.ledger),
    ...(await stateParts(config.stateDir)),
  ];
}

const LOG_LINES = ['--lines', '5000', '--output', 'short-iso'];

/** The filter for a text that was filtered when it was created. */
function alreadyFiltered(text: string): string {
  return text;
}

async function versionText(): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name = 'unknown system'] = /^PRETTY_NAME="?([^"\n]*)/m.exec(system) ?? [];
  return [
    `marathon-ipvs ${version()}`,
    `Node.js ${process.version}`,
    `kernel ${release()} ${arch()} (${systemVersion()})`,
    name,
    `up for ${Math.floor(uptime())} s`,
    `collected at ${new Date(systemClock.epoch()).toISOString()}`,
    '',
  ].join('\n');
}

/** Every option with its value and origin. Options name the files of secrets, and never contain secrets. */
function valuesOf(config: Config): string {
  const rows = optionNames.map((name): [string, { value: unknown; from: string }] => [
    fileName(name),
    { value: config[name] ?? null, from: config.origins[name] },
  ]);
  return optionsText(Object.fromEntries(rows));
}

/** A part with an answer of the running controller. */
function answerPart(config: Config, name: string, path: string): Part {
  return {
    name,
    async collect(signal) {
      const controller = await openController(config);
      const { status, text } = await get(controller, path, LIMITS.milliseconds, signal);
      // `/readyz` of a controller that is not ready answers 503 with the failed checks, which the bundle should have.
      if (status !== 200 && name.endsWith('.json')) {
        throw new ControllerError(
          'controller',
          `${controller.url}${path} answers with status ${status}: ${text}`,
        );
      }
      return text;
    },
  };
}

async function examined(config: Config, signal: AbortSignal): Promise<string> {
  // The host can be examined without the controller.
  const controller = await askController(config, signal).catch(() => null);
  return doctorText(examine(await readFacts(config, controller), systemClock.epoch()), {
    paint: painter(false),
  });
}

async function difference(config: Config, signal: AbortSignal): Promise<string> {
  if (config.source.length === 0) {
    throw new ControllerError(
      'not-configured',
      'no source is configured: name one with --config or --source',
    );
  }
  let logged = '';
  const write = (line: string) => {
    logged += line;
  };
  const parts = await wire({ ...config, once: true, dryRun: true }, createLog('warn', { write }));
  try {
    const { pass } = await readAndPass(parts, signal);
    if (pass.error !== null) throw new ControllerError('kernel', pass.error);
    return logText(logged) + toText(filteredReport(reportOf(pass)), painter(false));
  } finally {
    parts.close();
  }
}

/** The kernel's table in the format of `ipvsadm -Sn`. */
async function kernelText(): Promise<string> {
  const table = await openKernelTable();
  try {
    const steps = [...(await table.observe()).values()].flatMap((service): Step[] => [
      { op: 'add-service', service },
      ...[...service.backends.values()].map((backend): Step => ({ op: 'add-backend', service, backend })),
    ]);
    return steps.map((step) => `${formatStep(step)}\n`).join('');
  } finally {
    table.close();
  }
}

/** A part with a state file. Does not follow links that another user could have placed there. */
function filePart(name: string, path: string): Part {
  return {
    name,
    async collect() {
      const file = await openTrusted(path);
      if (file === null) throw new ControllerError('state', `${path}: there is no such file`);
      try {
        const text = await readAll(file.createReadStream({ end: LIMITS.file - 1, autoClose: false }));
        // The last line of a truncated file is incomplete.
        return Buffer.byteLength(text) < LIMITS.file ? text : text.slice(0, text.lastIndexOf('\n') + 1);
      } finally {
        await file.close();
      }
    },
    filter: stateText,
  };
}

/** The state files of this version and of 0.1. */
const STATE_FILE = /^(?:names|dns|memory|source-[0-9a-f]+)\.(?:journal|json)$/;
/** Enough for a bug report. */
const MAX_FILES = 50;

async function stateParts(directory: string): Promise<readonly Part[]> {
  try {
    const names = (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isFile() && STATE_FILE.test(entry.name))
      .map(({ name }) => name)
      .sort();
    return names.slice(0, MAX_FILES).map((name) => filePart(`state/${name}`, join(directory, name)));
  } catch (error) {
    return [{ name: 'state', collect: async () => await Promise.reject(error) }];
  }
}
