/** The real server over TLS, with certificates made here, and clients for it. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type AccessFiles, openAccessFiles } from '../../../../controller/api/access/files.ts';
import type { HttpOptions } from '../../../../controller/api/http.ts';
import { type Authority, type Certificate, makeAuthority } from '../../../support/certificate.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { World } from '../../../support/world.ts';
import { type Reply, Serving } from '../serving.ts';

export const READ_TOKEN = 'what-lets-one-read-here';
export const WRITE_TOKEN = 'what-lets-one-write-here';

/** Two authorities with a certificate of each, and a place for files. */
export class Certificates {
  readonly directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-tls-'));
  readonly authority: Authority = makeAuthority(this.directory, 'ours');
  readonly stranger: Authority = makeAuthority(this.directory, 'strange');
  readonly server: Certificate = this.authority.sign('server');
  readonly client: Certificate = this.authority.sign('client');
  readonly wrongClient: Certificate = this.stranger.sign('client');

  file(name: string, content: string | Buffer): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

export interface Guarded {
  readonly readToken?: boolean;
  readonly writeToken?: boolean;
  readonly clientCa?: boolean;
  readonly clientNames?: readonly string[];
}

/** A server whose files lie at `paths`, and are reloaded when the clock moves. */
export class Secure {
  readonly serving: Serving;
  readonly paths: Readonly<Record<'cert' | 'key' | 'clientCa' | 'readToken' | 'writeToken', string>>;
  readonly world: World;
  readonly clock: FakeClock;
  readonly files: AccessFiles;
  readonly #ca: Buffer;

  private constructor(of: Pick<Secure, 'serving' | 'paths' | 'world' | 'clock' | 'files'>, ca: Buffer) {
    this.serving = of.serving;
    this.paths = of.paths;
    this.world = of.world;
    this.clock = of.clock;
    this.files = of.files;
    this.#ca = ca;
  }

  static async start(
    certificates: Certificates,
    { readToken = true, writeToken = false, clientCa = false, clientNames }: Guarded = {},
    over: Partial<HttpOptions> = {},
  ): Promise<Secure> {
    const paths = {
      cert: certificates.file('tls.crt', certificates.server.cert),
      key: certificates.file('tls.key', certificates.server.key),
      clientCa: certificates.file('ca.crt', readFileSync(certificates.authority.caFile)),
      readToken: certificates.file('read-token', `${READ_TOKEN}\n`),
      writeToken: certificates.file('write-token', WRITE_TOKEN),
    };
    const clock = new FakeClock();
    const world = new World(clock);
    const files = await openAccessFiles(
      {
        tlsCertFile: paths.cert,
        tlsKeyFile: paths.key,
        tlsClientCaFile: clientCa ? paths.clientCa : undefined,
        tlsClientNames: clientNames,
        readTokenFile: readToken ? paths.readToken : undefined,
        writeTokenFile: writeToken ? paths.writeToken : undefined,
        allowWrites: writeToken || clientCa,
      },
      world,
    );
    const serving = await Serving.start({ access: files, ...over });
    return new Secure({ serving, paths, world, clock, files }, readFileSync(certificates.authority.caFile));
  }

  async close(): Promise<void> {
    this.files.close();
    await this.serving.close();
  }

  async get(path: string, options: RequestOptions = {}): Promise<Reply> {
    const to = { hostname: '127.0.0.1', port: this.serving.port, path, agent: false, ca: this.#ca };
    const asking = request({ ...to, ...options });
    asking.end();
    const [response] = await once(asking, 'response');
    return { status: response.statusCode, headers: response.headers, body: await readAll(response) };
  }

  /** With a token. */
  async as(token: string, path = '/v1/status', options: RequestOptions = {}): Promise<Reply> {
    return await this.get(path, {
      ...options,
      headers: { authorization: `Bearer ${token}`, ...options.headers },
    });
  }

  /** A TLS connection that stands. */
  async connected(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const to = { host: '127.0.0.1', port: this.serving.port, ca: this.#ca };
    const socket = connect({ ...to, ...options });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Lets the time pass after which the files are reloaded, and waits for the reload. */
  async reload(): Promise<void> {
    await this.#reloadEnded();
    await this.clock.advance(5_000);
    await this.#reloadEnded();
  }

  /** Between two reloads, and only then, this server waits for its clock. */
  async #reloadEnded(): Promise<void> {
    while (this.clock.sleepers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
