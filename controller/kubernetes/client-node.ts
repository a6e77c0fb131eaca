/** What we use of the package, by name: the build leaves the rest out, which is nine tenths. */
export { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
