/** The entry point of the program: reads the command line, executes a command and sets the exit status. */

import { type Invocation, parseCommandLine } from './cli/command-line.ts';
import type { AppCommand } from './cli/commands/apps/verbs.ts';
import type { DoctorPorts } from './cli/commands/doctor.ts';
import type { PrintOptions } from './cli/commands/report.ts';
import type { Signals } from './cli/commands/run.ts';
import { EXIT_ERROR, EXIT_NOT_CONFIGURED, EXIT_OK } from './cli/exit-status.ts';
import { createTerminal } from './cli/terminal.ts';
import type { Config } from './config/config.ts';
import { ControllerError, messageOf } from './errors.ts';
import type { SavedApps } from './ports.ts';
import type { VipQuery } from './why/facts.ts';

const terminal = createTerminal(process.stdout, process.stderr, process.env);
const { print, printError } = terminal.printer('auto');
/** The signal that ended the command, if one did. */
let endedBy: NodeJS.Signals | null = null;

// Each command imports only what it needs: loading everything would take half the time of a short run.
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const [first, ...words] = argv;
    const status =
      first === '__complete'
        ? await printCompletions(words)
        : await execute(parseCommandLine(argv, process.env));
    const unwritten = await terminal.finish();
    if (unwritten === null) return status;
    printError(unwritten);
  } catch (error) {
    // What an ended command leaves unfinished is no error of its own.
    printError(endedBy === null ? messageOf(error) : `ended by ${endedBy}`);
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
      return await printConnection(invocation.config, invocation.operands);
    case 'status':
      return await showStatus(invocation.config, invocation.operands[0] ?? null);
    case 'health':
      return await checkHealth(invocation.config);
    case 'doctor':
      return await runDoctor(invocation.config);
    case 'why':
      return await explainVip(invocation.config, invocation.operands[0] ?? '');
    case 'support-bundle':
      return await writeBundle(invocation.config);
    case 'relay':
      return await runRelay(invocation.config);
    case 'run':
    case 'diff':
      return await reconcile(invocation.config);
    default:
      return await runAppCommand({ ...invocation, command: invocation.command });
  }
}

/** `__complete`, which the completion scripts call; it is not listed in any help. */
async function printCompletions(words: readonly string[]): Promise<number> {
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
  const [{ createLog }, { wire }] = await Promise.all([import('./log.ts'), import('./wire/wire.ts')]);
  const parts = await wire(config, createLog(config.logLevel));
  // Other formats have been refused for this command.
  const format = config.output === 'json' || config.output === 'ipvsadm' ? config.output : 'text';
  const printer = terminal.printer(config.color);
  const options: PrintOptions = { output: format, paint: printer.layout().paint };
  try {
    if (!config.once) {
      const { run } = await import('./cli/commands/run.ts');
      // A dry run ends with its reader, since it only prints; a real run does not depend on it.
      const stop = config.dryRun ? AbortSignal.any([signals.stop, terminal.readerGone]) : signals.stop;
      const isOver = await run(config, parts, options, printer.print, { ...signals, stop });
      // Even `process.exit` would wait for the system call that hangs.
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

async function printConnection(config: Config, [service, endpoint]: readonly string[]): Promise<number> {
  const signals = processSignals();
  const [{ createLog }, { wireConnection }, { connection }] = await Promise.all([
    import('./log.ts'),
    import('./wire/wire.ts'),
    import('./cli/commands/connection.ts'),
  ]);
  const parts = await wireConnection(config, createLog(config.logLevel));
  const ports = { ...parts, print: terminal.printer(config.color).print };
  // JSON by default, like `dcos kafka connection`.
  const format = config.origins.output === 'default' || config.output !== 'text' ? 'json' : 'text';
  return await connection(ports, { service, endpoint, output: format }, signals.stop);
}

async function showStatus(config: Config, name: string | null): Promise<number> {
  const [{ status }, { systemClock }] = await Promise.all([
    import('./cli/commands/status.ts'),
    import('./time.ts'),
  ]);
  const ports = { ...terminal.printer(config.color), clock: systemClock };
  // Ends with its reader: `status --watch | head`.
  const stop = AbortSignal.any([processSignals().stop, terminal.readerGone]);
  return await status(config, name, ports, stop);
}

async function checkHealth(config: Config): Promise<number> {
  const { health } = await import('./cli/commands/health.ts');
  return await health(config, terminal.printer(config.color), processSignals().stop);
}

async function runDoctor(config: Config): Promise<number> {
  const [{ doctor }, { systemClock }] = await Promise.all([
    import('./cli/commands/doctor.ts'),
    import('./time.ts'),
  ]);
  const { stop } = processSignals();
  const elsewhere = await factsElsewhere(config);
  return await doctor(config, { ...terminal.printer(config.color), clock: systemClock, elsewhere }, stop);
}

/** The facts of the network namespace of `--netns`; null without that option, so that its code is not loaded. */
async function factsElsewhere(config: Config): Promise<DoctorPorts['elsewhere']> {
  if (config.netns === undefined) return null;
  const { namespaceOf, readersIn } = await import('./wire/netns-named.ts');
  const namespace = await namespaceOf(config);
  return namespace === null ? null : { path: namespace.path, facts: readersIn(namespace).facts };
}

async function explainVip(config: Config, vip: string): Promise<number> {
  const [{ why }, { askElsewhere, desiredHere, whyPortsOf }, { explain }, { createLog }, { systemClock }] =
    await Promise.all([
      import('./cli/commands/why.ts'),
      import('./wire/why.ts'),
      import('./why/trace.ts'),
      import('./log.ts'),
      import('./time.ts'),
    ]);
  const { stop } = processSignals();
  const trace = async (traced: VipQuery) => {
    if (config.server !== undefined) return await askElsewhere(config, traced.text, stop);
    const facts = await whyPortsOf(config, desiredHere(config, createLog('error')));
    return await explain(traced, facts, systemClock.epoch(), stop);
  };
  return await why(config, vip, { explain: trace, ...terminal.printer(config.color) });
}

async function writeBundle(config: Config): Promise<number> {
  const [{ supportBundle }, { supportParts }, { knownSecrets }, { systemClock }] = await Promise.all([
    import('./cli/commands/support-bundle.ts'),
    import('./wire/support.ts'),
    import('./support/secret-files.ts'),
    import('./time.ts'),
  ]);
  const [parts, secrets] = await Promise.all([supportParts(config), knownSecrets(config)]);
  const { print } = terminal.printer(config.color);
  return await supportBundle(config, { parts, secrets, clock: systemClock, print }, processSignals().stop);
}

async function runAppCommand(command: AppCommand): Promise<number> {
  const [{ executeAppCommand }, { systemClock }, { readInput, readInputFile }] = await Promise.all([
    import('./cli/commands/apps/execute.ts'),
    import('./time.ts'),
    import('./cli/input.ts'),
  ]);
  const { stop } = processSignals();
  const printer = terminal.printer(command.config.color);
  const ports = {
    ...printer,
    clock: systemClock,
    readInput: () => readInput(stop),
    readInputFile: (path: string) => readInputFile(path, stop),
  };
  return await executeAppCommand(command, ports, stop);
}

async function cleanUp(config: Config): Promise<number> {
  const [{ cleanup }, { wireCleanup }] = await Promise.all([
    import('./cli/commands/cleanup.ts'),
    import('./wire/wire.ts'),
  ]);
  const parts = await wireCleanup(config);
  try {
    const ports = { ...parts, ...terminal.printer(config.color) };
    return await cleanup(ports, config.dryRun);
  } finally {
    parts.close();
  }
}

async function runRelay(config: Config): Promise<number> {
  const { stop } = processSignals();
  const [{ createLog }, { sourcesOf }, { wireRelay }, { relay }] = await Promise.all([
    import('./log.ts'),
    import('./wire/sources.ts'),
    import('./wire/kubernetes.ts'),
    import('./cli/commands/relay.ts'),
  ]);
  const log = createLog(config.logLevel);
  const openSources = (saved: SavedApps) => sourcesOf(config, log, [], saved);
  await relay(config, await wireRelay(openSources, config, log, stop), stop);
  return EXIT_OK;
}

function processSignals(): Signals {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => {
      endedBy = name;
      stop.abort();
    });
  // Without a listener SIGHUP would end the process. Before the loop runs there is nothing to resync.
  const listeners: (() => void)[] = [];
  process.on('SIGHUP', () => {
    for (const listener of listeners) listener();
  });
  return { stop: stop.signal, onResync: (listener) => listeners.push(listener) };
}
