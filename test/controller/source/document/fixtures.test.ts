import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { expect, test } from '@jest/globals';
import type { App, Port, TaskPort } from '../../../../controller/model/app.ts';
import { createFileSource } from '../../../../controller/source/file/source.ts';
import { namesOf, silent } from '../support.ts';

const DIRECTORY = new URL('../../../../../shared/fixtures/', import.meta.url);
/** Inputs of Marathon: each has a result that was worked out without this program. */
const names = existsSync(DIRECTORY)
  ? readdirSync(DIRECTORY).filter((name) => /^(marathon|app|pod)-.*\.expected\.json$/.test(name))
  : [];

if (names.length === 0)
  test.skip('real Marathon inputs: ../shared/fixtures is not on this machine', () => undefined);

for (const name of names) {
  const expected = JSON.parse(readFileSync(new URL(name, DIRECTORY), 'utf8'));
  const input = new URL(name.replace('.expected', ''), DIRECTORY).pathname;

  test(`the VIPs and backends of ${name.replace('.expected.json', '')} are all in its ports and tasks`, async () => {
    const source = createFileSource({ path: input, resolver: namesOf(), log: silent });
    const { apps } = await source.read(new AbortController().signal);
    expect(backendsOf(apps)).toEqual(expectedBackends(expected.vips));
    expect(declaredBy(apps)).toEqual(expectedDeclared(expected.declared));
  });
}

/** Enough of the label grammar for these inputs; the real one is in `desired/`. */
function vipsOf(port: Port): { text: string; protocol: string }[] {
  const labels = Object.entries(port.labels).filter(([key]) => /^(VIP|vip)/.test(key));
  return labels.flatMap(([, value]) => {
    const colon = value.lastIndexOf(':');
    const address = value.slice(0, colon);
    const vip = isIP(address) > 0 ? address : address.toLowerCase().replaceAll('/', '');
    return port.protocols
      .filter((p) => ['tcp', 'udp'].includes(p))
      .map((protocol) => ({ text: `${vip} ${value.slice(colon + 1)}`, protocol }));
  });
}

function backendsOf(apps: readonly App[]): string[] {
  const lines = new Set<string>();
  for (const { tasks } of apps) {
    for (const { state, health, ports } of tasks) {
      const weight = state === 'running' && (health === 'unchecked' || health === 'healthy') ? 1 : 0;
      if (state === 'running' || state === 'killing')
        for (const line of linesOf(ports, weight)) lines.add(line);
    }
  }
  return [...lines].sort();
}

function linesOf(ports: readonly TaskPort[], weight: number): string[] {
  return ports.flatMap((port) =>
    vipsOf(port).flatMap(({ text, protocol }) =>
      port.endpoints
        .filter(({ address }) => [0, isIP(address)].includes(isIP(text.split(' ')[0] ?? '')))
        .map(({ address, port: number }) => `${protocol} ${text} -> ${address} ${number} ${weight}`),
    ),
  );
}

function declaredBy(apps: readonly App[]): string[] {
  const line = (app: App, port: Port) =>
    vipsOf(port).map(({ text, protocol }) => {
      const from = port.container === undefined ? app.id : `${app.id}/${port.container}`;
      return `${from} ${protocol} ${text} ${port.mode} ${port.backendAddress}`;
    });
  return apps.flatMap((app) => app.ports.flatMap((port) => line(app, port))).sort();
}

interface ExpectedVip {
  vip: string;
  protocol: string;
  port: number;
  backends: { ip: string; port: number; weight: number }[];
}

function expectedBackends(vips: ExpectedVip[]): string[] {
  return vips
    .flatMap(({ vip, protocol, port, backends }) =>
      backends.map((b) => `${protocol} ${vip} ${port} -> ${b.ip} ${b.port} ${b.weight}`),
    )
    .sort();
}

function expectedDeclared(
  declared: {
    vip: string;
    protocol: string;
    port: number;
    from: string;
    mode: string;
    backendAddress: string;
  }[],
): string[] {
  return declared
    .map((d) => `${d.from} ${d.protocol} ${d.vip} ${d.port} ${d.mode} ${d.backendAddress}`)
    .sort();
}
