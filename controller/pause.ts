/** Called after each piece of long work with its approximate cost (1 for a task or a backend): whether to yield now. */
export type Pause = (cost?: number) => boolean;

/** Never yields: for small work, and for commands that do nothing else. */
export const withoutPause: Pause = () => false;
