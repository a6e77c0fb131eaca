import type { Config } from '../../../config/config.ts';
import { optionAsWritten, usage } from '../../../config/option-text.ts';

/** The server that an app command works with. */
export type Target =
  /** `where`: URLs of equal masters. */
  | { readonly kind: 'marathon'; readonly where: string }
  /** `context` of the kubeconfig file; empty for the current context, or the service account of the pod. */
  | { readonly kind: 'kubernetes'; readonly context: string };

type TargetOptions = Pick<Config, 'marathon' | 'kubernetes' | 'source' | 'endpoints' | 'origins' | 'config'>;

/** The configured target. Throws a `ControllerError` 'usage' if there is none, or more than one. */
export function targetOf(given: TargetOptions): Target {
  const { marathon, kubernetes, source, endpoints, origins } = given;
  if (marathon !== undefined && kubernetes) {
    throw usage(
      `${optionAsWritten(given, 'marathon')} and ${optionAsWritten(given, 'kubernetes')} are both given, expected one of them`,
    );
  }
  const marathons = source.filter(({ kind }) => kind === 'marathon');
  const clusters = source.filter(({ kind }) => kind === 'kubernetes');
  const implied = marathon === undefined && marathons.length === 0 && clusters.length > 0;
  if (origins.kubernetes === 'default' ? implied : kubernetes) {
    if (clusters.length > 1) {
      throw usage(
        `several clusters are configured by ${optionAsWritten(given, 'source')}, expected one kubernetes=CONTEXT`,
      );
    }
    return { kind: 'kubernetes', context: clusters[0]?.where ?? '' };
  }
  if (endpoints !== undefined) {
    throw usage(
      `${optionAsWritten(given, 'endpoints')} is for apps in Kubernetes, expected --kubernetes with it`,
    );
  }
  if (marathon !== undefined) return { kind: 'marathon', where: marathon.where };
  const [first, ...others] = marathons;
  if (first === undefined) {
    throw usage(
      'no Marathon is given, expected --marathon http://HOST:PORT or --source marathon=…; or --kubernetes',
    );
  }
  if (others.length > 0) {
    throw usage(
      `several Marathons are configured by ${optionAsWritten(given, 'source')}, expected --marathon URL to select one`,
    );
  }
  return { kind: 'marathon', where: first.where };
}
