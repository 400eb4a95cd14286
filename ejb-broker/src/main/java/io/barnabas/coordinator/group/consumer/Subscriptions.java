package io.barnabas.coordinator.group.consumer;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a group's members are subscribed to, counted as they come and go. A copy is the way to see what a change would lead to. Confined
 * to the group's thread.
 */
public final class Subscriptions {
    private final Tally names; // topics by name
    private final Tally regexes; // patterns
    private final Map<String, ResolvedRegex> resolved;
    private int members;

    Subscriptions() {
        names = new Tally();
        regexes = new Tally();
        resolved = new HashMap<>();
    }

    private Subscriptions(Subscriptions other) {
        names = new Tally(other.names);
        regexes = new Tally(other.regexes);
        resolved = new HashMap<>(other.resolved);
        members = other.members;
    }

    public Subscriptions copy() {
        return new Subscriptions(this);
    }

    /** A member changes; null for one that is not there before or after. */
    public void replace(@Nullable MemberProfile before, @Nullable MemberProfile after) {
        if (before != null) {
            members--;
            before.topicNames().forEach(names::remove);
            regexes.remove(before.topicRegex());
        }
        if (after != null) {
            members++;
            after.topicNames().forEach(names::add);
            if (!after.topicRegex().isEmpty()) {
                regexes.add(after.topicRegex());
            }
        }
    }

    /** What a pattern matches; null forgets it. */
    public void resolve(String regex, @Nullable ResolvedRegex topics) {
        if (topics == null) {
            resolved.remove(regex);
        } else {
            resolved.put(regex, topics);
        }
    }

    /** Forgets what patterns matched that nobody holds any more. */
    public void dropUnheld() {
        resolved.keySet().retainAll(regexes.names());
    }

    /** The patterns that members hold. */
    public Set<String> regexes() {
        return regexes.names();
    }

    public int membersOf(String regex) {
        return regexes.of(regex);
    }

    public @Nullable ResolvedRegex resolved(String regex) {
        return resolved.get(regex);
    }

    /** The patterns that have been matched. */
    public Map<String, ResolvedRegex> resolved() {
        return resolved;
    }

    /** Every topic's name that anybody is subscribed to, by name or by a matched pattern. */
    public Set<String> topics() {
        if (resolved.isEmpty()) {
            return names.names();
        }
        Set<String> all = new HashSet<>(names.names());
        resolved.values().forEach(regex -> all.addAll(regex.topics()));
        return all;
    }

    public boolean has(String topic) {
        return names.of(topic) > 0
                || resolved.values().stream().anyMatch(regex -> regex.topics().contains(topic));
    }

    /** Whether all members are subscribed to the same. */
    public boolean isHomogeneous() {
        if (regexes.names().isEmpty()) {
            return names.allAre(members);
        }
        return regexes.names().size() == 1
                && regexes.allAre(members)
                && names.names().isEmpty();
    }

    /** The topics that a member is subscribed to, by name; a pattern that has yet to be matched has none. */
    public Set<String> topicsOf(MemberProfile member) {
        @Nullable ResolvedRegex regex = member.topicRegex().isEmpty() ? null : resolved.get(member.topicRegex());
        if (regex == null || regex.topics().isEmpty()) {
            return member.topicNames();
        }
        if (member.topicNames().isEmpty()) {
            return regex.topics();
        }
        Set<String> both = new HashSet<>(member.topicNames());
        both.addAll(regex.topics());
        return both;
    }
}
