/** An answer other than success, with the body that Marathon gives. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.body = body;
  }
}

/** One broken rule of a definition: where, and what Marathon says about it. */
export interface Violation {
  readonly path: string;
  readonly errors: readonly string[];
}

export function notFound(message: string): ApiError {
  return new ApiError(404, { message });
}

export function unknownApp(id: string): ApiError {
  return notFound(`App '${id}' does not exist`);
}

export function unknownPod(id: string): ApiError {
  return notFound(`Pod '${id}' does not exist`);
}

export function invalid(details: readonly Violation[]): ApiError {
  return new ApiError(422, { message: 'Object is not valid', details });
}

/** `details` is a text for a syntax error, and a list where the JSON is well-formed but of the wrong shape. */
export function malformed(details: string | readonly Violation[]): ApiError {
  return new ApiError(400, { message: 'Invalid JSON', details });
}

export function conflict(message: string): ApiError {
  return new ApiError(409, { message });
}

export function locked(deploymentIds: readonly string[]): ApiError {
  return new ApiError(409, {
    message:
      "App is locked by one or more deployments. Override with the option '?force=true'. " +
      `View details at '/v2/deployments/<DEPLOYMENT_ID>'.`,
    deployments: deploymentIds.map((id) => ({ id })),
  });
}

/** What the real one says for a path that it does not know: 500, not 404. */
export function noSuchRoute(): ApiError {
  return new ApiError(500, { message: 'URI not found' });
}
