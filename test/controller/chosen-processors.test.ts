import { describe, expect, test } from '@jest/globals';
import { ARCHITECTURES } from '../../deploy/debian/control.ts';
import { chosenProcessors } from '../../deploy/packaging/command.ts';
import { RPM_ARCHITECTURES } from '../../deploy/rpm/spec.ts';

describe('packages are made', () => {
  test('for this machine unless others are named', () => {
    expect(chosenProcessors([], ARCHITECTURES, 'arm64')).toEqual(['arm64']);
    expect(chosenProcessors([], RPM_ARCHITECTURES, 'x64')).toEqual(['x64']);
  });

  test('for the processors that are named as their format names them', () => {
    expect(chosenProcessors(['arm64', 'amd64'], ARCHITECTURES)).toEqual(['arm64', 'x64']);
    expect(chosenProcessors(['aarch64'], RPM_ARCHITECTURES)).toEqual(['arm64']);
  });

  test('for no others', () => {
    expect(() => chosenProcessors(['x86_64'], ARCHITECTURES)).toThrow(
      "no package is made for 'x86_64': expected amd64 or arm64",
    );
    expect(() => chosenProcessors([], RPM_ARCHITECTURES, 'riscv64')).toThrow(
      "no package is made for 'riscv64': expected x86_64 or aarch64",
    );
  });
});
