package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.barnabas.metadata.Controller.Decision;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** The controller over a log that delays, loses, repeats and changes its leader. */
@NullUnmarked
class ControllerSimulationTest {
    private static final int SEEDS = 200;
    private static final int NODES = 3;
    private static final int COMMANDS = 40;
    private static final ConfigResource COUNTER = new ConfigResource(ConfigResource.Type.TOPIC, "counter");
    private static final Logger QUIET = Logger.getLogger("io.barnabas.metadata"); // kept, else its level is forgotten

    static {
        QUIET.setLevel(Level.WARNING);
    }

    /** Clients that send each command until it is answered, to whatever node. */
    private static final class Run {
        private static final int STEP_MS = 50;
        private static final long LAG_MS = 100;
        private static final int STEPS_MAX = 20_000;

        private final ManualTicker ticker = new ManualTicker(new ManualClock());
        private final SimulatedQuorum quorum;
        private final List<SimulatedQuorum.Node> nodes = new ArrayList<>();
        private final List<Long> producerIds = new ArrayList<>();
        private int open = 3 * COMMANDS;
        private int counted; // as clients know
        private int staleReads;
        private int failures;

        Run(long seed, boolean voidEntries, boolean readsAtOnce) {
            quorum = new SimulatedQuorum(
                    new Random(seed),
                    ticker,
                    new SimulatedQuorum.Temper(400, 100, 300, 40, 40, voidEntries),
                    (node, from) -> true);
            if (readsAtOnce) {
                quorum.answerReadsAtOnce();
            }
            for (int id = 0; id < NODES; id++) {
                SimulatedQuorum.Node node = quorum.join(id, Runnable::run);
                node.lag(LAG_MS * id);
                nodes.add(node);
            }
            quorum.start();
            for (int i = 0; i < COMMANDS; i++) {
                String token = "done-" + i;
                quorum.after(1_500, () -> count(token));
                quorum.after(1_500, this::allocate);
                quorum.after(1_500, this::read);
            }
            for (int step = 0; open > 0 || !quorum.rests(); step++) {
                assertThat(step).as("it comes to rest").isLessThan(STEPS_MAX);
                ticker.advance(STEP_MS);
            }
        }

        /** Counts one up, unless this command has done it before: a retry must see what its first try did. */
        private void count(String token) {
            quorum.anyNode()
                    .controller
                    .submit("Count", image -> {
                        Map<String, String> config = image.config(COUNTER);
                        return config.containsKey(token)
                                ? Decision.unchanged(true)
                                : Decision.of(List.of(set("count", next(config)), set(token, "1")), true);
                    })
                    .whenComplete((answer, e) -> {
                        if (e == null) {
                            counted++;
                        }
                        onOutcome(e, () -> count(token));
                    });
        }

        /** Whoever asks after a command was answered sees what it did. */
        private void read() {
            int atLeast = counted;
            quorum.anyNode()
                    .controller
                    .submit("Read", image -> Decision.unchanged(image.config(COUNTER)))
                    .whenComplete((config, e) -> {
                        if (e == null && Integer.parseInt(config.getOrDefault("count", "0")) < atLeast) {
                            staleReads++;
                        }
                        onOutcome(e, this::read);
                    });
        }

        private static String next(Map<String, String> config) {
            return Integer.toString(Integer.parseInt(config.getOrDefault("count", "0")) + 1);
        }

        private static ApiMessage set(String key, String value) {
            return new ConfigRecord()
                    .setResourceType(COUNTER.type().id())
                    .setResourceName(COUNTER.name())
                    .setName(key)
                    .setValue(value);
        }

        private void allocate() {
            quorum.anyNode()
                    .controller
                    .submit(
                            "Allocate",
                            image -> Decision.of(
                                    List.of(new ProducerIdsRecord().setNextProducerId(image.nextProducerId() + 1)),
                                    image.nextProducerId()))
                    .whenComplete((first, e) -> {
                        if (e == null) {
                            producerIds.add(first);
                        }
                        onOutcome(e, this::allocate);
                    });
        }

        private void onOutcome(Throwable e, Runnable again) {
            if (e == null) {
                if (--open == 0) {
                    quorum.heal();
                }
                return;
            }
            assertThat(e).isInstanceOf(NotControllerException.class);
            failures++;
            quorum.after(100, again);
        }

        private boolean countedOnce() {
            return nodes.stream()
                    .allMatch(node ->
                            node.metadata.image().config(COUNTER).get("count").equals(Integer.toString(COMMANDS)));
        }

        private boolean idsGivenOnce() {
            Set<Long> once = new HashSet<>(producerIds);
            return once.size() == producerIds.size();
        }
    }

    @Test
    void everyCommandIsDoneOnceHoweverOftenItIsTriedAndEveryNodeEndsWithTheSameImage() {
        int failures = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            Run run = new Run(seed, true, false);
            assertThat(run.open).as("commands without an answer, seed %s", seed).isZero();
            assertThat(run.countedOnce()).as("each counted once, seed %s", seed).isTrue();
            assertThat(run.idsGivenOnce())
                    .as("no id given twice, seed %s", seed)
                    .isTrue();
            assertThat(run.staleReads)
                    .as("reads of what was no longer true, seed %s", seed)
                    .isZero();
            List<ReplayedMetadata> images =
                    run.nodes.stream().map(node -> node.metadata).toList();
            assertThat(images)
                    .as("same image everywhere, seed %s", seed)
                    .extracting(m -> ImageRecords.of(m.image()), m -> m.image().index())
                    .containsOnly(tuple(
                            ImageRecords.of(images.get(0).image()),
                            images.get(0).image().index()));
            failures += run.failures;
        }
        assertThat(failures).as("faults that the clients met").isGreaterThan(SEEDS * COMMANDS / 4);
    }

    @Test
    void withoutTheRuleOfVoidEntriesCommandsAreLostOrEntriesDoNotFit() {
        boolean broken = false;
        for (long seed = 0; seed < SEEDS && !broken; seed++) {
            try {
                Run run = new Run(seed, false, false);
                broken = !run.countedOnce() || !run.idsGivenOnce();
            } catch (IllegalStateException doesNotFit) { // replay noticed: a node would have halted
                broken = true;
            }
        }
        assertThat(broken).isTrue();
    }

    @Test
    void withoutAnEntryForEachReadADeposedControllerTellsWhatIsNoLongerTrue() {
        int stale = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            stale += new Run(seed, true, true).staleReads;
        }
        assertThat(stale).isPositive();
    }
}
