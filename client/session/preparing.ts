import { encode, roundInHand, wait } from './buffering.ts';
import type { WorkEvent } from './events.ts';
import { andThen, drop, type Move, settle, start, startAside, unexpected } from './move.ts';
import { send } from './sending.ts';
import type { LiveSession, Preparing } from './state.ts';

/**
 * recalling -> fetching -> evaluating -> training -> encoding -> signing -> sending; recalling -> sending or idle when the journal
 * knows the attempt; any -> declining when its work fails, or -> idle when there is nobody to tell: the work starts
 * again when the job is joined again.
 */
export function onPreparing(state: LiveSession, activity: Preparing, event: WorkEvent): Move {
  const { plan } = activity;
  const { parentRoot } = plan;
  switch (event.name) {
    case 'recalled': {
      if (activity.at !== 'recalling') break;
      if (event.entry?.at === 'answered') return settle(state, plan);
      if (event.entry?.at === 'signed') return send(state, plan, event.entry.update, null);
      return start(state, { at: 'fetching', plan }, { name: 'fetchModel', modelRoot: parentRoot, plan });
    }
    case 'modelFetched': {
      const { model } = event;
      if (activity.at !== 'fetching') break;
      if (state.evaluated === parentRoot) {
        return start(state, { at: 'training', plan }, { name: 'train', plan, model });
      }
      return start(state, { at: 'evaluating', plan, model }, { name: 'evaluate', model });
    }
    case 'modelEvaluated': {
      if (activity.at !== 'evaluating') break;
      const { evaluation } = event;
      const round = plan.round - 1;
      const reported = startAside(state, { name: 'reportMetrics', round, modelRoot: parentRoot, evaluation });
      return andThen(reported, (live) => train(live, activity));
    }
    case 'updateLearnt': {
      if (activity.at !== 'training') break;
      const learnt = { plan, result: event.result };
      return state.maxStaleness === null ? encode(state, plan, learnt) : wait(state, learnt);
    }
    case 'updateEncoded': {
      if (activity.at !== 'encoding') break;
      const { statement, bytes } = event;
      const { learnt } = activity;
      return start(state, { at: 'signing', plan, learnt }, { name: 'sign', statement, bytes });
    }
    case 'updateSigned':
      if (activity.at !== 'signing') break;
      return send(state, plan, event.update, activity.learnt);
    case 'workFailed': {
      // Metrics are advisory: a model that cannot be evaluated may still be trained.
      if (activity.at === 'evaluating') return train(state, activity);
      const { code, message } = event;
      const asked = roundInHand(state, plan);
      if (state.link.at !== 'open' || asked === null) return drop(state);
      return start(state, { at: 'declining', plan: asked }, { name: 'decline', plan: asked, code, message });
    }
    default:
  }
  throw unexpected(activity, event);
}

function train(state: LiveSession, { plan, model }: Extract<Preparing, { at: 'evaluating' }>): Move {
  return start({ ...state, evaluated: plan.parentRoot }, { at: 'training', plan }, { name: 'train', plan, model });
}
