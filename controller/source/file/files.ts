import { mergeRows } from '../../inventory/merge.ts';
import type { App, AppKey, Rejection } from '../../model/app.ts';
import type { About } from '../../model/delta.ts';
import type { Snapshot, UnknownPart } from '../../model/snapshot.ts';
import { duplicateId } from '../document/convert.ts';
import { SetMap } from '../set-map.ts';
import type { FileContent } from './content.ts';

/**
 * The content of all files, merged by app. If several files define an app, the first by name counts; the tasks of one
 * app may be listed by several agents, each in its own file. A changed file affects only the apps that differ in it.
 */
export class Files {
  readonly #contents = new Map<string, FileContent>();
  /** The files that contain each app. */
  readonly #paths = new SetMap<AppKey, string>();
  readonly #apps = new Map<AppKey, App>();
  /** Apps to merge again. */
  readonly #unmerged = new Set<AppKey>();
  readonly #changed = new Map<AppKey, App | null>();
  /** Rejections of apps that an earlier file defines too, by file. */
  readonly #duplicates = new Map<string, Map<AppKey, Rejection>>();
  /** Files with something to report besides apps. */
  readonly #notable = new Set<string>();
  /** Everything not about a single app; null when it must be rebuilt. */
  #about: About | null = null;

  paths(): Iterable<string> {
    return this.#contents.keys();
  }

  get(path: string): FileContent | undefined {
    return this.#contents.get(path);
  }

  /** Whether some file has never been readable since the start. */
  get hasUnknown(): boolean {
    for (const path of this.#notable) if (this.#contents.get(path)?.isUnknown) return true;
    return false;
  }

  /** Whether a file other than `path` has the app. */
  isInOther(key: AppKey, path: string): boolean {
    const paths = this.#paths.get(key);
    return paths.size > (paths.has(path) ? 1 : 0);
  }

  /** Takes a file as read (the same object if it is unchanged); null when it is gone. */
  set(path: string, content: FileContent | null): void {
    const before = this.#contents.get(path);
    if (content === (before ?? null)) return;
    if (content === null) this.#contents.delete(path);
    else this.#contents.set(path, content);
    const [had, has] = [rowsOf(before), rowsOf(content)];
    for (const [key, app] of had) if (has.get(key) !== app) this.#leave(key, path);
    for (const [key, app] of has) if (had.get(key) !== app) this.#join(key, path);
    if (isNotable(content)) this.#notable.add(path);
    else this.#notable.delete(path);
    this.#about = null;
  }

  /** Returns the apps that changed since the last call; null for an app that no file has any more. */
  takeChanged(): ReadonlyMap<AppKey, App | null> {
    this.#merge();
    const changed = new Map(this.#changed);
    this.#changed.clear();
    return changed;
  }

  /** Everything not about a single app; the same object until a file changes it. */
  get about(): About {
    this.#merge();
    this.#about ??= this.#makeAbout();
    return this.#about;
  }

  /** The merged state, in the order of the files. */
  get snapshot(): Snapshot {
    const { about } = this;
    const keys = new Set<AppKey>();
    for (const path of [...this.#contents.keys()].sort())
      for (const key of rowsOf(this.#contents.get(path)).keys()) keys.add(key);
    return { ...about, apps: [...keys].flatMap((key) => this.#apps.get(key) ?? []) };
  }

  #join(key: AppKey, path: string): void {
    this.#paths.add(key, path);
    this.#unmerged.add(key);
  }

  #leave(key: AppKey, path: string): void {
    this.#paths.delete(key, path);
    this.#reject(key, path, null);
    this.#unmerged.add(key);
  }

  #merge(): void {
    for (const key of this.#unmerged) {
      const app = this.#mergeOne(key) ?? null;
      if (app === null) this.#apps.delete(key);
      else this.#apps.set(key, app);
      this.#changed.set(key, app);
    }
    this.#unmerged.clear();
  }

  #mergeOne(key: AppKey): App | undefined {
    const defined: App[] = [];
    const fromTasks: App[] = [];
    for (const path of [...this.#paths.get(key)].sort()) {
      const app = rowsOf(this.#contents.get(path)).get(key);
      if (app?.fromTasks === true) fromTasks.push(app);
      else if (app !== undefined && defined.push(app) > 1) this.#reject(key, path, duplicateId(app.id, path));
      else this.#reject(key, path, null);
    }
    return mergeRows({ defined: defined.slice(0, 1), fromTasks }, NONE);
  }

  #reject(key: AppKey, path: string, why: Rejection | null): void {
    const duplicates = this.#duplicates.get(path) ?? new Map<AppKey, Rejection>();
    if (duplicates.has(key) === (why !== null)) return;
    if (why === null) duplicates.delete(key);
    else duplicates.set(key, why);
    if (duplicates.size === 0) this.#duplicates.delete(path);
    else this.#duplicates.set(path, duplicates);
    this.#about = null;
  }

  #makeAbout(): About {
    // Lists of lists: one file may have more of these than a call may have arguments.
    const rejected: (readonly Rejection[])[] = [];
    const warnings: (readonly string[])[] = [];
    const listed: (readonly string[])[] = [];
    const unknown: (readonly UnknownPart[])[] = [];
    for (const path of [...new Set([...this.#notable, ...this.#duplicates.keys()])].sort()) {
      const content = this.#contents.get(path);
      rejected.push([...(this.#duplicates.get(path)?.values() ?? [])], content?.rejected ?? []);
      const reason = content?.failure?.message;
      if (reason !== undefined) rejected.push([{ app: path, at: '', value: '', reason }]);
      if (reason !== undefined && content?.isUnknown && !content.isSaved)
        unknown.push([{ part: path, reason }]);
      unknown.push(content?.unknown ?? []);
      warnings.push(content?.warnings ?? []);
      if (content?.listed !== undefined) listed.push(content.listed);
    }
    const agents = [...new Set(listed.flat())].sort();
    const parts = unknown.flat();
    return {
      rejected: rejected.flat(),
      warnings: warnings.flat(),
      ...(listed.length > 0 && { agents }),
      ...(parts.length > 0 && { unknown: parts }),
    };
  }
}

const NONE: ReadonlySet<string> = new Set();
const NO_ROWS: ReadonlyMap<AppKey, App> = new Map();

function rowsOf(content: FileContent | null | undefined): ReadonlyMap<AppKey, App> {
  return content?.apps ?? NO_ROWS;
}

function isNotable(content: FileContent | null): boolean {
  if (content === null) return false;
  const { rejected, warnings = [], listed, failure, unknown = [] } = content;
  return (
    unknown.length > 0 ||
    rejected.length > 0 ||
    warnings.length > 0 ||
    listed !== undefined ||
    failure !== undefined
  );
}
