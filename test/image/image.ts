/** The image that the Dockerfile makes, in a folder, and commands as an engine for containers would start them in it. */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, type Outcome } from '../support/host.ts';

const BUILD = join(import.meta.dirname, 'build.sh');

/** The parts of the image's own description that decide how it is run. */
interface Config {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** What a container engine lets a process have. */
export interface Rights {
  readonly bounding: string;
  /** What `allowPrivilegeEscalation: false` sets: no file that is executed gives anything. */
  readonly noMore?: boolean;
  /** Variables besides the image's. */
  readonly more?: readonly string[];
}

/** What the image says that it needs. */
export const GRANTED: Rights = { bounding: '-all,+net_admin,+net_bind_service' };
/** What a namespace of Kubernetes with the Pod Security Standard `restricted` leaves. */
export const RESTRICTED: Rights = { bounding: '-all', noMore: true };

/** Why no image can be built here; null where one can. */
export async function imageMissing(): Promise<string | null> {
  const { status } = await command('sh', '-c', 'command -v buildah debootstrap');
  return status === 0 && process.getuid?.() === 0 ? null : 'they need root, buildah and debootstrap';
}

export class Image {
  readonly folder: string;
  /** Its mounted root. */
  readonly root: string;
  readonly architecture: string;
  readonly config: Config;

  private constructor(at: { folder: string; root: string; architecture: string; config: Config }) {
    [this.folder, this.root, this.architecture, this.config] = [
      at.folder,
      at.root,
      at.architecture,
      at.config,
    ];
  }

  /** For this machine's processor, or for ARM64 from the archive of a Debian and a Node.js for that. */
  static async build(arm64?: { readonly debian: string; readonly node: string }): Promise<Image> {
    // Not below /tmp: the lab has another one.
    const folder = await mkdtemp('/var/tmp/marathon-ipvs-image.');
    const built = await patiently(BUILD, folder, ...(arm64 ? [arm64.debian, arm64.node] : []));
    if (built.status !== 0) throw new Error(`the image cannot be built:\n${built.stdout}${built.stderr}`);
    const { architecture, config } = JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')).Docker;
    return new Image({ folder, root: built.stdout.trim(), architecture, config });
  }

  async remove(): Promise<void> {
    await patiently(BUILD, '-d', this.folder);
  }

  /** The words that run something of the image as an engine would: its user, its environment, its capabilities. */
  asDeclared(at: string, { bounding, noMore, more }: Rights, ...words: readonly string[]): string[] {
    const [user, group] = this.config.User.split(':');
    const identity = ['--reuid', `${user}`, '--regid', `${group}`, '--clear-groups'];
    const rights = ['--bounding-set', bounding, '--inh-caps', '-all', ...(noMore ? ['--no-new-privs'] : [])];
    const environment = [
      'env',
      '-i',
      '-C',
      this.config.WorkingDir,
      ...(this.config.Env ?? []),
      ...(more ?? []),
    ];
    return ['chroot', at, 'setpriv', ...identity, ...rights, ...environment, ...words];
  }

  async marathonIpvs(rights: Rights, ...args: readonly string[]): Promise<Outcome> {
    const [program = '', ...rest] = this.asDeclared(this.root, rights, ...this.config.Entrypoint, ...args);
    return await command(program, ...rest);
  }
}

/** Runs what takes minutes. */
export async function patiently(file: string, ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (data: Buffer) => {
      said[name] += data.toString();
    });
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 128)));
  return { status, ...said };
}

/** The documentation's example, with one instance. */
export function myService(host: string) {
  return {
    id: '/my-service',
    portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
    tasks: [
      {
        id: 'my-service.1',
        host,
        ports: [31000],
        state: 'TASK_RUNNING',
        startedAt: '2026-01-01T00:00:00.000Z',
      },
    ],
  };
}
