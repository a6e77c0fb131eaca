import { expect, test } from '@jest/globals';
import { ApiFailure } from '../../../controller/kubernetes/api-failure.ts';

const forbidden = (message: string) => new ApiFailure('PATCH /x', { status: 403, body: { message } });

test.each([
  [
    'slices is forbidden: exceeded quota: few, requested: 1, used: 1, limited: 1',
    /few.*raise the ResourceQuota/,
  ],
  ['admission webhook "policy.example.com" denied the request: no', /"policy\.example\.com".*admission rule/],
  ["ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", /'p'.*admission rule/],
])('%s: is not blamed on RBAC, and may pass later', (message, text) => {
  const failure = forbidden(message);
  expect(failure.message).toMatch(text);
  expect(failure.message).not.toContain('RBAC');
  expect(failure.retry).toBe('later');
});

test.each([
  'leases is forbidden: User "x" cannot get resource "leases"',
  'forbidden: User "x" cannot get path "/"',
  '',
])('what RBAC refuses (%j) leads to the roles', (message) => {
  const failure = forbidden(message);
  expect(failure.message).toContain('rbac.yaml');
  expect(failure.retry).toBe('never');
});

test.each([
  ['1000000000', null],
  [undefined, 1e9],
  ['9'.repeat(400), null],
])('a wait of %s s is bounded', (retryAfter, retryAfterSeconds) => {
  const body = { message: 'busy', details: { retryAfterSeconds } };
  expect(new ApiFailure('PUT /x', { status: 429, body, retryAfter }).retryAfterMs).toBe(60_000);
});

test('megabytes of an answer do not get into messages', () => {
  const long = 'x'.repeat(3_000_000);
  const causes = Array.from({ length: 1_000 }, () => ({ field: long, message: long }));
  for (const body of [{ message: long, details: { causes } }, long]) {
    const failure = new ApiFailure('PUT /x', { status: 422, body });
    expect(failure.message.length).toBeLessThan(1_200);
    expect(JSON.stringify(failure.causes).length).toBeLessThan(300_000);
  }
});

test('a webhook that does not answer is named, with what to check, and may answer later', () => {
  const message =
    'Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.kube-system.svc:443/validate?timeout=10s": context deadline exceeded';
  const failure = new ApiFailure('PATCH /x', { status: 500, body: { message, reason: 'InternalError' } });
  expect(failure.message).toMatch(/"policy\.example\.com".*deadline exceeded.*check the service behind it/);
  expect(failure.retry).toBe('later');
});
