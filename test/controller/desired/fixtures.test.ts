import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Declared, Desired } from '../../../controller/model/desired.ts';
import type { Log, Resolver } from '../../../controller/ports.ts';
import { createFileSource } from '../../../controller/source/file/source.ts';
import { nothingRemembered } from '../../support/builders.ts';
import { translator } from './support.ts';

const FIXTURES = new URL('../../../../shared/fixtures/', import.meta.url);
const names = existsSync(FIXTURES)
  ? readdirSync(FIXTURES).filter((name) => /^(marathon|app|pod|mesos|mesosv0)-.*\.expected\.json$/.test(name))
  : [];

interface Expected {
  readonly vips: readonly {
    readonly vip: string;
    readonly framework?: string;
    readonly fqdn?: string;
    readonly protocol: string;
    readonly port: number;
    readonly backends: readonly { readonly ip: string; readonly port: number; readonly weight: number }[];
  }[];
  /** Definitions only: of Mesos, what tasks carry is all that there is. */
  readonly declared?: readonly {
    readonly vip: string;
    readonly framework?: string;
    readonly protocol: string;
    readonly port: number;
    readonly from: string;
    readonly mode: string;
    readonly backendAddress: string;
  }[];
}

if (names.length === 0)
  test.skip('real inputs have their VIPs: ../shared/fixtures is not on this machine', () => undefined);

for (const name of names) {
  test(`${name.replace('.expected', '')} has the VIPs and declarations that were worked out for it`, async () => {
    const expected: Expected = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8'));
    const desired = await translateFile(fileURLToPath(inputOf(name)));
    expect(backendsOf(desired)).toEqual(
      expected.vips
        .flatMap(({ vip, framework, fqdn, protocol, port, backends }) =>
          backends.map((each) =>
            [vip, framework, fqdn, protocol, port, each.ip, each.port, each.weight].join(' '),
          ),
        )
        .sort(),
    );
    if (expected.declared !== undefined) {
      expect(desired.declared.map(declaration).sort()).toEqual(
        expected.declared
          .map((each) =>
            [
              each.vip,
              each.framework,
              each.protocol,
              each.port,
              each.from,
              each.mode,
              each.backendAddress,
            ].join(' '),
          )
          .sort(),
      );
    }
    expect(desired.rejected).toEqual([]);
  });
}

/** A stream has one JSON event a line. */
function inputOf(expected: string): URL {
  const input = new URL(expected.replace('.expected', ''), FIXTURES);
  return existsSync(input) ? input : new URL(`${input}l`);
}

async function translateFile(path: string): Promise<Desired> {
  const resolver: Resolver = { resolve: async () => null };
  const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const source = createFileSource({ path, resolver, log });
  return translator()(await source.read(new AbortController().signal), nothingRemembered);
}

function ignore(): void {}

/** A line for each backend; the services of both families of a name count as one VIP. */
function backendsOf({ services }: Desired): readonly string[] {
  return [...services.values()]
    .flatMap(({ name, framework, fqdn, address, protocol, port, backends }) =>
      [...backends.values()].map((backend) =>
        [
          name ?? address,
          framework,
          fqdn,
          protocol,
          port,
          backend.address,
          backend.port,
          backend.weight,
        ].join(' '),
      ),
    )
    .sort();
}

function declaration({
  app,
  container,
  name,
  framework,
  address,
  protocol,
  port,
  mode,
  backendAddress,
}: Declared): string {
  const from = container === undefined ? app : `${app}/${container}`;
  return [name ?? address, framework, protocol, port, from, mode, backendAddress].join(' ');
}
