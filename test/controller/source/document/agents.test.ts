import { expect, test } from '@jest/globals';
import { resolveAgents } from '../../../../controller/source/document/agents.ts';
import { onAgent } from '../../../../controller/source/document/placement.ts';

test('only host names are resolved: the system resolver would read 010.0.0.9 as 8.0.0.9', async () => {
  const asked: string[] = [];
  const resolver = {
    resolve: async (name: string) => {
      asked.push(name);
      return '192.0.2.1';
    },
  };
  const hosts = ['10.0.0.9', '010.0.0.9', '10.9', '0x0a000001', '10.0.0.8:5051', 'fd00::5', 'agent.example'];
  expect(Object.fromEntries(await resolveAgents(hosts, resolver))).toEqual({
    '10.0.0.9': '10.0.0.9',
    '010.0.0.9': null,
    '10.9': null,
    '0x0a000001': null,
    '10.0.0.8:5051': null,
    'fd00::5': 'fd00::5',
    'agent.example': '192.0.2.1',
  });
  expect(asked).toEqual(['agent.example']);
});

test('the reason distinguishes a host name without address from other text', () => {
  const unknown = (host: string) => onAgent(host, 31000, () => null).unresolved;
  expect(unknown('agent.example')).toBe("the agent's host name agent.example has no known IPv4 address");
  expect(unknown('010.0.0.9')).toBe(
    'the agent\'s host "010.0.0.9" is neither an IPv4 address (four decimal numbers without leading zeros) nor a host name',
  );
});
