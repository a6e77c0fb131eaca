/** The process: command line in, exit status out. */

import { type Invocation, parseCommandLine } from './cli/command-line.ts';
import type { AppCommand } from './cli/commands/apps/verbs.ts';
import type { DoctorPorts } from './cli/commands/doctor.ts';
import type { PrintOptions } from './cli/commands/report.ts';
import type { Signals } from './cli/commands/run.ts';
import { createTerminal } from './cli/terminal.ts';
import type { Config } from './config/config.ts';
import { ControllerError, messageOf } from './errors.ts';
import { EXIT_ERROR, EXIT_NOT_CONFIGURED, EXIT_OK } from './exit-status.ts';
import type { VipQuery } from './why/facts.ts';

const terminal = createTerminal(process.stdout, process.stderr, process.env);
const { print, printError } = terminal.printer('auto');

// What a command does not need is not loaded: half of a short run's time would go there.
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const [first, ...words] = argv;
    const status =
      first === '__complete' ? await offer(words) : await execute(parseCommandLine(argv, process.env));
    const unwritten = await terminal.finish();
    if (unwritten === null) return status;
    printError(unwritten);
  } catch (error) {
    printError(messageOf(error));
    if (isNotConfigured(error) && 'NOTIFY_SOCKET' in process.env) return EXIT_NOT_CONFIGURED;
  }
  return EXIT_ERROR;
}

function isNotConfigured(error: unknown): boolean {
  return error instanceof ControllerError && error.code === 'not-configured';
}

async function execute(invocation: Invocation): Promise<number> {
  switch (invocation.command) {
    case 'help':
    case 'version':
      print(invocation.text);
      return EXIT_OK;
    case 'completion': {
      const { completionScripts } = await import('./cli/completion/scripts.ts');
      print(completionScripts[invocation.shell]);
      return EXIT_OK;
    }
    case 'cleanup':
      return await cleanUp(invocation.config);
    case 'connection':
      return await connect(invocation.config, invocation.operands);
    case 'status':
      return await showStatus(invocation.config, invocation.operands[0] ?? null);
    case 'health':
      return await askHealth(invocation.config);
    case 'doctor':
      return await examineHost(invocation.config);
    case 'why':
      return await explainVip(invocation.config, invocation.operands[0] ?? '');
    case 'support-bundle':
      return await writeBundle(invocation.config);
    case 'relay':
      return await publish(invocation.config);
    case 'run':
    case 'diff':
      return await reconcile(invocation.config);
    default:
      return await askMarathon({ ...invocation, command: invocation.command });
  }
}

/** For the scripts of `completion`; no command of people, and in no help. */
async function offer(words: readonly string[]): Promise<number> {
  const { complete } = await import('./cli/commands/complete.ts');
  print(await complete(words, process.env, terminal.readerGone));
  return EXIT_OK;
}

async function reconcile(config: Config): Promise<number> {
  if (config.check) {
    terminal.printer(config.color).print('the configuration is accepted\n');
    return EXIT_OK;
  }
  const signals = processSignals();
  const [{ createLog }, { wire }] = await Promise.all([import('./log.ts'), import('./wire.ts')]);
  const parts = await wire(config, createLog(config.logLevel));
  // What a diff cannot be printed as has been refused by now.
  const form = config.output === 'json' || config.output === 'ipvsadm' ? config.output : 'text';
  const printer = terminal.printer(config.color);
  const options: PrintOptions = { output: form, paint: printer.layout().paint };
  try {
    if (!config.once) {
      const { run } = await import('./cli/commands/run.ts');
      // Without reader there is no use in a diff after each pass; what forwards goes on whoever reads.
      const stop = config.dryRun ? AbortSignal.any([signals.stop, terminal.readerGone]) : signals.stop;
      const isOver = await run(config, parts, options, printer.print, { ...signals, stop });
      // Node would wait for the call that hangs, also in `process.exit`.
      if (!isOver) process.kill(process.pid, 'SIGKILL');
      return EXIT_OK;
    }
    const { diff, once } = await import('./cli/commands/once.ts');
    const ports = { ...parts, ...printer };
    return await (config.dryRun ? diff : once)(ports, options, signals.stop);
  } finally {
    parts.close();
  }
}

async function connect(config: Config, [service, endpoint]: readonly string[]): Promise<number> {
  const signals = processSignals();
  const [{ createLog }, { wireConnection }, { connection }] = await Promise.all([
    import('./log.ts'),
    import('./wire.ts'),
    import('./cli/commands/connection.ts'),
  ]);
  const parts = await wireConnection(config, createLog(config.logLevel));
  const ports = { ...parts, print: terminal.printer(config.color).print };
  // JSON unless told otherwise: that is what `dcos kafka connection` printed.
  const form = config.origins.output === 'default' || config.output !== 'text' ? 'json' : 'text';
  return await connection(ports, { service, endpoint, output: form }, signals.stop);
}

async function showStatus(config: Config, name: string | null): Promise<number> {
  const [{ status }, { systemClock }] = await Promise.all([
    import('./cli/commands/status.ts'),
    import('./time.ts'),
  ]);
  const ports = { ...terminal.printer(config.color), clock: systemClock };
  // `status --watch | head`: whoever read us has seen enough.
  const stop = AbortSignal.any([processSignals().stop, terminal.readerGone]);
  return await status(config, name, ports, stop);
}

async function askHealth(config: Config): Promise<number> {
  const { health } = await import('./cli/commands/health.ts');
  return await health(config, terminal.printer(config.color), processSignals().stop);
}

async function examineHost(config: Config): Promise<number> {
  const [{ doctor }, { systemClock }] = await Promise.all([
    import('./cli/commands/doctor.ts'),
    import('./time.ts'),
  ]);
  const { stop } = processSignals();
  const elsewhere = await factsElsewhere(config);
  return await doctor(config, { ...terminal.printer(config.color), clock: systemClock, elsewhere }, stop);
}

/** null without `--netns`, so that no more is loaded than is needed. */
async function factsElsewhere(config: Config): Promise<DoctorPorts['elsewhere']> {
  if (config.netns === undefined) return null;
  const { namespaceOf, readersIn } = await import('./wire-netns-named.ts');
  const namespace = await namespaceOf(config);
  return namespace === null ? null : { path: namespace.path, facts: readersIn(namespace).facts };
}

async function explainVip(config: Config, vip: string): Promise<number> {
  const [{ why }, { askElsewhere, desiredHere, whyPortsOf }, { explain }, { createLog }, { systemClock }] =
    await Promise.all([
      import('./cli/commands/why.ts'),
      import('./wire-why.ts'),
      import('./why/trace.ts'),
      import('./log.ts'),
      import('./time.ts'),
    ]);
  const { stop } = processSignals();
  const walk = async (asked: VipQuery) => {
    if (config.server !== undefined) return await askElsewhere(config, asked.text, stop);
    const facts = await whyPortsOf(config, desiredHere(config, createLog('error')));
    return await explain(asked, facts, systemClock.epoch(), stop);
  };
  return await why(config, vip, { explain: walk, ...terminal.printer(config.color) });
}

async function writeBundle(config: Config): Promise<number> {
  const [{ supportBundle }, { supportParts }, { knownSecrets }, { systemClock }] = await Promise.all([
    import('./cli/commands/support-bundle.ts'),
    import('./wire-support.ts'),
    import('./support/secret-files.ts'),
    import('./time.ts'),
  ]);
  const [parts, secrets] = await Promise.all([supportParts(config), knownSecrets(config)]);
  const { print } = terminal.printer(config.color);
  return await supportBundle(config, { parts, secrets, clock: systemClock, print }, processSignals().stop);
}

async function askMarathon(command: AppCommand): Promise<number> {
  const [{ executeAppCommand }, { systemClock }, { readInput }] = await Promise.all([
    import('./cli/commands/apps/execute.ts'),
    import('./time.ts'),
    import('./cli/input.ts'),
  ]);
  const ports = { ...terminal.printer(command.config.color), clock: systemClock, readInput };
  return await executeAppCommand(command, ports, processSignals().stop);
}

async function cleanUp(config: Config): Promise<number> {
  const [{ cleanup }, { wireCleanup }] = await Promise.all([
    import('./cli/commands/cleanup.ts'),
    import('./wire.ts'),
  ]);
  const parts = await wireCleanup(config);
  try {
    const ports = { ...parts, ...terminal.printer(config.color) };
    return await cleanup(ports, config.dryRun);
  } finally {
    parts.close();
  }
}

async function publish(config: Config): Promise<number> {
  const { stop } = processSignals();
  const [{ createLog }, { sourcesOf }, { wireRelay }, { relay }] = await Promise.all([
    import('./log.ts'),
    import('./wire-sources.ts'),
    import('./wire-kubernetes.ts'),
    import('./cli/commands/relay.ts'),
  ]);
  const log = createLog(config.logLevel);
  await relay(config, await wireRelay(await sourcesOf(config, log, []), config, log), stop);
  return EXIT_OK;
}

function processSignals(): Signals {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  // Without a listener SIGHUP would end the process; before the loop runs there is nothing to put right.
  const listeners: (() => void)[] = [];
  process.on('SIGHUP', () => {
    for (const listener of listeners) listener();
  });
  return { stop: stop.signal, onResync: (listener) => listeners.push(listener) };
}
