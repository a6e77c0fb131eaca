import { describe, expect, test } from '@jest/globals';
import { shownAddress } from '../../../controller/page/form/address.ts';
import type { JsonObject } from '../../../controller/page/form/json.ts';
import { marathonErrors } from '../../../controller/page/form/marathon-errors.ts';
import { readForm } from '../../../controller/page/form/read.ts';
import { validate } from '../../../controller/page/form/validate.ts';

const FACTS = { zone: 'l4lb.thisdcos.directory', framework: 'marathon' };

test.each([
  ['/some-app:8080', 'some-app.marathon.l4lb.thisdcos.directory:8080'],
  ['/outergroup/subgroup/myapp:80', 'outergroupsubgroupmyapp.marathon.l4lb.thisdcos.directory:80'],
  ['192.168.0.1:9091', '192.168.0.1:9091'],
  ['192.168.0.1:0', '192.168.0.1:<assigned port>'],
  ['/web:0', 'web.marathon.l4lb.thisdcos.directory:<assigned port>'],
  ['fd01:c::1:80', '[fd01:c::1]:80'],
  ['/:80', null],
])('the label %s is shown as %s', (label, shown) => {
  expect(shownAddress(label, FACTS)).toBe(shown);
});

/** The messages of an app, by field. */
function errorsOf(app: JsonObject): Record<string, readonly string[]> {
  return Object.fromEntries(validate(readForm(app), app));
}

describe('a form shows what would be refused, at the field', () => {
  test('nothing of the example of the documentation', () => {
    const port = { port: 5555, name: 'my-vip', protocol: 'tcp', labels: { VIP_0: '/my-service:5555' } };
    expect(errorsOf({ id: '/my-service', cmd: 'x', portDefinitions: [port], requirePorts: true })).toEqual(
      {},
    );
  });

  test.each<[JsonObject, string[]]>([
    [{ id: '/' }, ['id', 'cmd']],
    [{ id: '/Upper', cmd: 'x' }, ['id']],
    [{ id: '/a', cmd: 'x', instances: -1, cpus: 'much', mem: 0.5 }, ['instances', 'cpus']],
    [{ id: '/a', container: { docker: { image: 'nginx' } } }, []],
    [{ id: '/a', args: ['x'], networks: [{ mode: 'container' }] }, ['networkName']],
  ])('%j', (app, fields) => {
    expect(Object.keys(errorsOf(app))).toEqual(fields);
  });

  test.each<[JsonObject[], string[]]>([
    [[{ port: 70_000 }], ['endpoints.0.hostPort']],
    [
      [{ port: 80 }, { port: 80 }],
      ['endpoints.0.hostPort', 'endpoints.1.hostPort'],
    ],
    [
      [{ name: 'a' }, { name: 'a' }],
      ['endpoints.0.name', 'endpoints.1.name'],
    ],
    [[{ name: 'My_Name' }], ['endpoints.0.name']],
    [[{ labels: { VIP_0: '/a:0' } }], ['endpoints.0.vips.0.port']],
    [[{ labels: { VIP_0: '/a:70000' } }], ['endpoints.0.vips.0.port']],
    [[{ labels: { VIP_0: '127.0.0.1:80' } }], ['endpoints.0.vips.0.name']],
    [[{ labels: { VIP_0: 'name:1', VIP_1: 'nocolon' } }], ['endpoints.0.vips.1.port']],
  ])('%j', (portDefinitions, fields) => {
    expect(Object.keys(errorsOf({ id: '/a', cmd: 'x', portDefinitions }))).toEqual(fields);
  });
});

describe("Marathon's errors are shown at their field", () => {
  const one = (at: string, error = 'wrong') =>
    Object.fromEntries(marathonErrors({ error: 'Object is not valid', details: [{ at, errors: [error] }] }));

  test.each([
    ['id', 'id'],
    ['portDefinitions[1].port', 'endpoints.1.hostPort'],
    ['portDefinitions[0].labels.VIP_0', 'endpoints.0.vips.0.port'],
    ['container.portMappings[2].containerPort', 'endpoints.2.containerPort'],
    ['container.portMappings[0].protocol', 'endpoints.0.protocol'],
    ['container.docker.image', 'image'],
    ['networks[0].name', 'networkName'],
    ['portDefinitions', 'endpoints'],
  ])('%s is %s', (at, field) => {
    expect(one(at)).toEqual({ [field]: ['wrong'] });
  });

  test('an error without a field is shown with its path, one without details as a whole', () => {
    expect(one('upgradeStrategy.x')).toEqual({ '': ['upgradeStrategy.x: wrong'] });
    expect(one('', "must contain one of 'cmd' or 'args'")).toEqual({
      cmd: ["must contain one of 'cmd' or 'args'"],
    });
    expect(Object.fromEntries(marathonErrors({ error: 'Not now', details: [] }))).toEqual({
      '': ['Not now'],
    });
  });
});
