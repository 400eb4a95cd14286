package io.barnabas.ejb;

import io.barnabas.admin.BrokerViews;
import io.barnabas.admin.GroupDetail;
import io.barnabas.admin.GroupView;
import io.barnabas.admin.Overview;
import io.barnabas.admin.TopicDetail;
import io.barnabas.admin.TopicView;
import io.barnabas.admin.TransactionView;
import jakarta.ejb.EJB;
import jakarta.ejb.Local;
import jakarta.ejb.Stateless;
import jakarta.ejb.TransactionManagement;
import jakarta.ejb.TransactionManagementType;
import java.util.List;
import java.util.Optional;

/** The views as the console injects them; the pictures are made by {@link NodeViews}. */
@Stateless
@Local(BrokerViews.class)
@TransactionManagement(TransactionManagementType.BEAN)
public class BrokerViewsBean implements BrokerViews {
    @EJB
    private BrokerLifecycle lifecycle;

    @Override
    public Overview overview() {
        return lifecycle.views().overview();
    }

    @Override
    public List<TopicView> topics() {
        return lifecycle.views().topics();
    }

    @Override
    public Optional<TopicDetail> topic(String name) {
        return lifecycle.views().topic(name);
    }

    @Override
    public List<GroupView> groups() {
        return lifecycle.views().groups();
    }

    @Override
    public Optional<GroupDetail> group(String id) {
        return lifecycle.views().group(id);
    }

    @Override
    public List<TransactionView> transactions() {
        return lifecycle.views().transactions();
    }
}
