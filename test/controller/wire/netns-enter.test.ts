import { expect, test } from '@jest/globals';
import { programInNamespace } from '../../../controller/wire/netns-enter.ts';

test.each(['netns-helper', 'netns-facts'] as const)('SIGUSR1 opens no debugger in %s', (name) => {
  const [node, ...options] = programInNamespace(name);
  expect(node).toBe(process.execPath);
  expect(options.slice(0, -1)).toContain('--disable-sigusr1');
});
