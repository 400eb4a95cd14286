package io.barnabas.coordinator.group.consumer;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Patterns of topics in RE2's syntax, which match in linear time. What a pattern may cost to compile is bounded before it is compiled:
 * RE2 writes counted repetitions out. Pure; {@link #resolve} is for a worker.
 */
public final class TopicPatterns {
    /** Characters of a pattern. */
    static final int LENGTH_MAX = 8_192;
    /** Parentheses of a pattern, an upper bound of how deep they are nested. */
    static final int GROUPS_MAX = 500;
    /** Product of all counted repetitions of a pattern, an upper bound of how often any part of it is written out. */
    static final long REPETITIONS_MAX = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(TopicPatterns.class);

    private TopicPatterns() {}

    /**
     * Checks a pattern.
     *
     * @throws InvalidRegularExpression it is none, or too large
     */
    public static void validate(String regex) {
        try {
            compile(regex);
        } catch (PatternSyntaxException e) {
            throw new InvalidRegularExpression("SubscribedTopicRegex `" + shortened(regex)
                    + "` is not a valid regular expression: " + e.getDescription() + ".");
        }
    }

    private static String shortened(String regex) {
        return regex.length() <= 100 ? regex : regex.substring(0, 100) + "…";
    }

    private static Pattern compile(String regex) {
        boolean bounded = regex.length() <= LENGTH_MAX
                && regex.chars().filter(c -> c == '(').count() <= GROUPS_MAX
                && repetitions(regex) <= REPETITIONS_MAX;
        if (!bounded) {
            throw new PatternSyntaxException("too large", shortened(regex));
        }
        return Pattern.compile(regex);
    }

    /** The product of the numbers that stand last in braces; saturates. */
    private static long repetitions(String regex) {
        long product = 1;
        int open = regex.indexOf('{');
        while (open >= 0 && product <= REPETITIONS_MAX) {
            long number = 0;
            int at = open + 1;
            for (; at < regex.length() && regex.charAt(at) != '}'; at++) {
                char c = regex.charAt(at);
                number = Character.isDigit(c) ? Math.min(number * 10 + Character.digit(c, 10), REPETITIONS_MAX + 1) : 0;
            }
            product *= Math.max(number, 1);
            open = regex.indexOf('{', open + 1);
        }
        return product;
    }

    /** The topics that each pattern matches. One that cannot be compiled (only an older version took it) matches none. */
    public static Map<String, ResolvedRegex> resolve(Set<String> regexes, MetadataImage image, long nowMs) {
        Map<String, ResolvedRegex> resolved = new HashMap<>();
        for (String regex : regexes) {
            Set<String> topics = new HashSet<>();
            try {
                Pattern pattern = compile(regex);
                for (TopicImage topic : image.topics()) {
                    if (pattern.matcher(topic.name()).matches()) {
                        topics.add(topic.name());
                    }
                }
            } catch (PatternSyntaxException e) {
                LOG.error("a pattern in the log cannot be compiled; error={}", e.getDescription());
            }
            resolved.put(regex, new ResolvedRegex(topics, image.index(), nowMs));
        }
        return resolved;
    }
}
