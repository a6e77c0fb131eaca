/**
 * An in-memory IPVS kernel, for testing programs that use this library.
 *
 * @packageDocumentation
 */
export { type FakeConnections, FakeKernel, type FakeKernelOptions } from './fake/fake-kernel.ts';
export type { FakeVersion } from './fake/fake-replies.ts';
export type { FakeFaults, FakeRequest } from './fake/faults.ts';
