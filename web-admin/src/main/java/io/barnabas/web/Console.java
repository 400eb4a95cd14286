package io.barnabas.web;

import io.barnabas.admin.BrokerViews;
import io.barnabas.admin.GroupDetail;
import io.barnabas.admin.GroupView;
import io.barnabas.admin.Overview;
import io.barnabas.admin.TopicDetail;
import io.barnabas.admin.TopicView;
import io.barnabas.admin.TransactionView;
import jakarta.ejb.EJB;
import jakarta.enterprise.context.RequestScoped;
import jakarta.faces.annotation.ManagedProperty;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import java.util.List;

/** What the pages show; reads each view once a request. */
@Named
@RequestScoped
public class Console {
    @EJB
    private BrokerViews views;

    @Inject
    @ManagedProperty("#{param.name}")
    private String name;

    private Overview overview;
    private List<TopicView> topics;
    private List<GroupView> groups;
    private List<TransactionView> transactions;
    private TopicDetail topic;
    private GroupDetail group;

    public Overview getOverview() {
        if (overview == null) {
            overview = views.overview();
        }
        return overview;
    }

    public List<TopicView> getTopics() {
        if (topics == null) {
            topics = views.topics();
        }
        return topics;
    }

    public List<GroupView> getGroups() {
        if (groups == null) {
            groups = views.groups();
        }
        return groups;
    }

    public List<TransactionView> getTransactions() {
        if (transactions == null) {
            transactions = views.transactions();
        }
        return transactions;
    }

    /** The topic that the address names, or null. */
    public TopicDetail getTopic() {
        if (topic == null && name != null) {
            topic = views.topic(name).orElse(null);
        }
        return topic;
    }

    /** The group that the address names, or null. */
    public GroupDetail getGroup() {
        if (group == null && name != null) {
            group = views.group(name).orElse(null);
        }
        return group;
    }

    public String getName() {
        return name;
    }
}
