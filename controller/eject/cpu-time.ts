/**
 * The CPU time that this thread has used, in milliseconds.
 *
 * By itself `threadCpuUsage` (getrusage, RUSAGE_THREAD) lags: the kernel adds what a running thread has used only at clock
 * ticks, up to 10 ms apart, so most of a read of some milliseconds was missing. Asked for the whole process the kernel brings
 * this thread up to date first (`thread_group_cputime`).
 */
export function threadCpuMs(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
