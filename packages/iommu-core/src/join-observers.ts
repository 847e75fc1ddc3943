/** joinObservers: several observers of one IOMMU as one, in their order; a method that none has stays absent. */
import type { IommuObserver } from './observer.ts';

const METHODS = [
  'request',
  'attached',
  'detached',
  'translated',
  'fault',
  'endpointAdded',
  'endpointRemoved',
  'resetting',
  'reset',
] as const satisfies readonly (keyof IommuObserver)[];

type Method = (...parameters: unknown[]) => void;

export function joinObservers(observers: readonly IommuObserver[]): IommuObserver {
  const joined: Partial<Record<(typeof METHODS)[number], Method>> = {};
  for (const name of METHODS) {
    const methods = observers.flatMap((observer) => {
      const method = observer[name] as Method | undefined;
      return method === undefined ? [] : [method.bind(observer)];
    });
    if (methods.length === 1) joined[name] = methods[0]!;
    else if (methods.length > 1) {
      joined[name] = (...parameters) => {
        for (const method of methods) method(...parameters);
      };
    }
  }
  return joined as IommuObserver;
}
