/** Re-exports only what is used, so that the build drops the other nine tenths of the package. */
export { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
