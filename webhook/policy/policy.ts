/** A policy ready to decide: selectors parsed, patterns compiled, numbers checked against one another. */
import type { LimitName, Scope } from '../../contract/keys.ts'
import type { BytesPerSecond, Dimension, Iops } from '../../contract/limits.ts'
import type { Pattern } from './pattern.ts'
import type { Selector } from './selector.ts'

/** Numbers only: a policy says "no limit" by leaving the field out. */
export type Bounds = { readonly [dimension in Dimension]?: Iops | BytesPerSecond }

/** A default as it is written on a pod. */
export interface Default {
  readonly dimension: Dimension
  /** `read-iops`: always the key of one direction. */
  readonly name: LimitName
  readonly text: string
}

interface RuleBase {
  readonly name: string
  /** `POLICY/RULE`: the mark of admission. */
  readonly mark: string
  /** Empty: every pod. */
  readonly selector: Selector
}

/** A rule that leaves its pods alone. */
export interface ExemptRule extends RuleBase {
  readonly exempt: true
}

export interface LimitRule extends RuleBase {
  readonly exempt: false
  readonly exemptNames: readonly Pattern[]
  readonly exemptImages: readonly Pattern[]
  readonly defaults: readonly Default[]
  readonly max: Bounds
  readonly min: Bounds
  /** What the rule asks for; absent: `pod` unless a pod says otherwise. */
  readonly scope?: Scope
  /** Limits that follow what a pod does; absent: none do. */
  readonly adaptive?: Adaptive
}

/** All times in milliseconds. */
export interface Adaptive {
  /** `report`: what would be done is told, and nothing is done. */
  readonly mode: 'enforce' | 'report'
  /** The shortest first. */
  readonly windows: readonly AdaptiveWindow[]
  /** An imposed limit stands at least so long. */
  readonly hold: number
  /** It goes once the average over `for` is below this fraction of it, in every dimension that it is imposed in. */
  readonly release: { readonly below: number; readonly for: number }
}

/** What is imposed where the average over a time is above a number in any dimension. */
export interface AdaptiveWindow {
  readonly over: number
  /** As the policy has it: `15m`. */
  readonly text: string
  readonly above: Bounds
  readonly limit: Bounds
}

export type Rule = ExemptRule | LimitRule

export interface Policy {
  readonly name: string
  /** The first whose selector matches decides. */
  readonly rules: readonly Rule[]
  readonly exemptNamespaces: readonly Pattern[]
}

export type PolicySet = ReadonlyMap<string, Policy>

export interface NamespaceInfo {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** By name. */
export type Namespaces = ReadonlyMap<string, NamespaceInfo>
