package io.barnabas.config;

import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.LambdaValidator;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.ValidList;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * Turns the words of the settings tables' column "allowed" into validators. The forms: {@code >= 1}, {@code 0 .. 9}, {@code 1 .. 9 or
 * -1}, {@code one of a, b}, {@code any case of a, b}, {@code nonempty}, and for lists {@code distinct}, {@code distinct of a, b} and
 * {@code distinct nonempty}; {@code replicas} and {@code offset reset} stand for their own grammars.
 */
final class Allowed {
    private static final Pattern AT_LEAST = Pattern.compile(">= (\\S+)");
    private static final Pattern BETWEEN = Pattern.compile("(\\S+) \\.\\. (\\S+)");
    private static final Pattern BETWEEN_OR = Pattern.compile("(-?\\d+) \\.\\. (-?\\d+) or (-?\\d+)");
    private static final Pattern DISTINCT = Pattern.compile("distinct( nonempty)?(?: of (.*))?");
    private static final Pattern REPLICA = Pattern.compile("\\d+:\\d+");
    private static final Pattern OFFSET_RESET = Pattern.compile(
            "latest|earliest|by_duration:[+]?P(?=.)(\\d+D)?(T(?=.)(\\d+H)?(\\d+M)?(\\d+(\\.\\d+)?S)?)?");

    private Allowed() {}

    /** The validator for {@code words}, or null for none. */
    static ConfigDef.@Nullable Validator validator(String words, ConfigDef.Type type, boolean nullable) {
        if (words.isEmpty()) {
            return null;
        }
        Matcher m = AT_LEAST.matcher(words);
        if (m.matches()) {
            return Range.atLeast(number(m.group(1), type));
        }
        m = BETWEEN_OR.matcher(words);
        if (m.matches()) {
            return betweenOr(words, Long.parseLong(m.group(1)), Long.parseLong(m.group(2)), Long.parseLong(m.group(3)));
        }
        m = BETWEEN.matcher(words);
        if (m.matches()) {
            return Range.between(number(m.group(1), type), number(m.group(2), type));
        }
        m = DISTINCT.matcher(words);
        if (m.matches()) {
            boolean mayBeEmpty = m.group(1) == null;
            return m.group(2) == null
                    ? ValidList.anyNonDuplicateValues(mayBeEmpty, nullable)
                    : ValidList.in(mayBeEmpty, m.group(2).split(", "));
        }
        return textValidator(words);
    }

    private static ConfigDef.Validator textValidator(String words) {
        if (words.startsWith("one of ")) {
            return ValidString.in(words.substring("one of ".length()).split(", "));
        }
        if (words.startsWith("any case of ")) {
            return ConfigDef.CaseInsensitiveValidString.in(
                    words.substring("any case of ".length()).split(", "));
        }
        return switch (words) {
            case "nonempty" -> new ConfigDef.NonEmptyString();
            case "offset reset" ->
                matching(
                        v -> OFFSET_RESET.matcher(v.toString()).matches(),
                        "latest, earliest or by_duration:PnDTnHnMn.nS");
            case "replicas" ->
                matching(
                        Allowed::isReplicaList,
                        "[partitionId]:[brokerId],[partitionId]:[brokerId],... or * for all replicas");
            default -> throw new IllegalArgumentException("Not a form of allowed values: " + words);
        };
    }

    private static boolean isReplicaList(Object value) {
        List<?> replicas = List.copyOf((Collection<?>) value);
        return replicas.isEmpty()
                || List.of("*").equals(replicas)
                || replicas.stream()
                        .allMatch(r -> REPLICA.matcher(r.toString().trim()).matches());
    }

    private static ConfigDef.Validator betweenOr(String words, long min, long max, long other) {
        return matching(
                v -> {
                    long n = ((Number) v).longValue();
                    return n == other || (n >= min && n <= max);
                },
                words);
    }

    private static ConfigDef.Validator matching(Predicate<Object> good, String words) {
        return LambdaValidator.with(
                (name, value) -> {
                    if (value != null && !good.test(value)) {
                        throw new ConfigException(name, value, "Value must be " + words);
                    }
                },
                () -> words);
    }

    /** As it is written, since a refusal names it: 1 is not 1.0. */
    private static Number number(String text, ConfigDef.Type type) {
        if (type == ConfigDef.Type.DOUBLE && text.indexOf('.') >= 0) {
            return Double.valueOf(text);
        }
        return Long.valueOf(text);
    }
}
