package io.barnabas.admin;

import java.util.List;
import java.util.Optional;

/** What the console and REST may ask of the broker. Each answer is a picture of its moment; safe from any thread. What concerns
 * groups and transactions may wait for their coordinator, two seconds at most. */
public interface BrokerViews {
    Overview overview();

    /** Every topic, internal ones too, by name. */
    List<TopicView> topics();

    Optional<TopicDetail> topic(String name);

    /** Every group, by id. */
    List<GroupView> groups();

    Optional<GroupDetail> group(String id);

    /** Transactional ids: those with a transaction first, the oldest of these before the others; no more than a thousand. */
    List<TransactionView> transactions();
}
