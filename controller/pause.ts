/** Whether long work should rest, after a piece that cost about so much: 1 for a task or a backend. */
export type Pause = (cost?: number) => boolean;

/** Never rests: for work that is small, or that nobody waits for. */
export const withoutPause: Pause = () => false;
