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
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** The views as JSON. */
@Path("/")
@RequestScoped
@Produces(MediaType.APPLICATION_JSON)
public class BrokerResource {
    @EJB
    private BrokerViews views;

    @GET
    @Path("overview")
    @Operation(summary = "The broker at one look")
    public Overview overview() {
        return views.overview();
    }

    @GET
    @Path("topics")
    @Operation(summary = "Every topic, internal ones too, by name")
    public List<TopicView> topics() {
        return views.topics();
    }

    @GET
    @Path("topics/{name}")
    @Operation(summary = "A topic with its partitions and settings")
    @APIResponse(responseCode = "404", description = "There is no such topic")
    public TopicDetail topic(@PathParam("name") String name) {
        return views.topic(name).orElseThrow(() -> notFound("topic", name));
    }

    @GET
    @Path("groups")
    @Operation(summary = "Every group, by id")
    public List<GroupView> groups() {
        return views.groups();
    }

    @GET
    @Path("groups/{id}")
    @Operation(summary = "A group with its members and committed offsets")
    @APIResponse(responseCode = "404", description = "There is no such group")
    public GroupDetail group(@PathParam("id") String id) {
        return views.group(id).orElseThrow(() -> notFound("group", id));
    }

    @GET
    @Path("transactions")
    @Operation(
            summary = "Transactional ids, the oldest open transaction first, a thousand at most",
            description =
                    "A transaction in state Prepared waits without a time limit for the decision of a two-phase commit")
    public List<TransactionView> transactions() {
        return views.transactions();
    }

    private static WebApplicationException notFound(String what, String name) {
        return new WebApplicationException(Response.status(Response.Status.NOT_FOUND)
                .type(MediaType.APPLICATION_JSON)
                .entity(new Problem("there is no " + what + " of that name", name))
                .build());
    }

    /** Why a request was not answered. */
    public record Problem(String error, String name) {}
}
