"""The words of the real API that a conversation aggregate query may use (October 2026)."""

METRICS = frozenset(
    """
    nAgentDeclined nAlertExpired nBlindTransferred nBotInteractions nCallbackAttempts
    nCallbackOverSla nCallbackScheduled nCfcOffered nCobrowseSessions nConnected nConsult
    nConsultTransferred nConversations nError nOffered nOutbound nOutboundAbandoned
    nOutboundAttempted nOutboundConnected nOverSla nStateTransitionError nTakeover nTransferred

    oAudioMessageCount oCallbackServiceLevel oExternalAudioMessageCount oExternalMediaCount
    oMediaCount oMessageCount oMessageSegmentCount oMessageTurn oServiceLevel oServiceTarget
    oSkillExpressionApplications

    tAbandon tAcd tActiveCallback tActiveCallbackComplete tAcw tAgentResponseTime
    tAgentVideoConnected tAlert tAnswered tAverageAgentResponseTime tAverageCustomerResponseTime
    tBarging tCallbackAbandon tCallbackConnect tCallbackNotReached tCallbackVirtualWait
    tCfcAbandon tCfcAcd tCfcAnswered tCfcFlowOut tCoaching tCoachingComplete tConnected
    tContacting tDialing tFirstConnect tFirstDial tFirstEngagement tFirstResponse tFlowOut
    tHandle tHeld tHeldComplete tIvr tMonitoring tMonitoringComplete tNotResponding tPark
    tParkComplete tScreenMonitoring tShortAbandon tSnippetRecord tTalk tTalkComplete
    tTransmitting tUserResponseTime tVoicemail tWait
    """.split()
)
"""Metrics: ``n…`` are counters, ``t…`` timers in ms, ``o…`` observations."""

GROUP_BY = frozenset(
    """
    activeRouting activeSkillId addressFrom addressTo agentAssistantId agentBullseyeRing
    agentOwned agentRank agentScore ani assignerId authenticated conversationId
    conversationInitiator convertedFrom convertedTo customerParticipation deliveryStatus
    destinationAddress direction disconnectType divisionId dnis edgeId eligibleAgentCount
    errorCode extendedDeliveryStatus externalContactId externalMediaCount
    externalOrganizationId externalTag firstQueue flaggedReason flowInType flowOutType groupId
    interactionType journeyActionId journeyActionMapId journeyActionMapVersion
    journeyCustomerId journeyCustomerIdType journeyCustomerSessionId
    journeyCustomerSessionIdType knowledgeBaseId mediaCount mediaType messageType
    originatingDirection originatingSocialMediaPublic outboundCampaignId outboundContactId
    outboundContactListId participantName peerId proposedAgentId provider purpose queueId
    remote removedSkillId requestedLanguageId requestedRouting requestedRoutingSkillId roomId
    routingPriority routingRing routingRule routingRuleType scoredAgentId selectedAgentId
    selectedAgentRank selfServed sessionDnis sessionId skillExpressionId stationId teamId
    usedRouting userId videoPresent waitingInteractionCount wrapUpCode
    """.split()
)

FILTER_BY = GROUP_BY | {"canonicalExternalContactId"}

EMULATED = ("userId", "queueId", "mediaType", "direction", "purpose", "divisionId")
"""The dimensions of `metric_events.Origin`, in its order; others are answered with 501."""

SEGMENT_FILTER_BY = frozenset(
    """
    addressFrom addressTo agentAssistantId agentOwned ani authenticated bargedParticipantId
    callbackNumber callbackScheduledTime canonicalExternalContactId cleared
    coachedParticipantId conference deliveryPushed deliveryStatus destinationAddress
    destinationConversationId detectedSpeechEnd detectedSpeechStart direction disconnectType
    dnis edgeId engagementSource errorCode exitReason extendedDeliveryStatus externalContactId
    externalOrganizationId flaggedReason flowId flowName flowOutcome flowOutcomeId
    flowOutcomeValue flowOutType flowVersion groupId journeyActionId journeyActionMapId
    journeyCustomerId journeyCustomerIdType journeyCustomerSessionId mediaCount mediaType
    messageType monitoredParticipantId outboundCampaignId outboundContactId
    outboundContactListId participantName protocolCallId provider purpose queueId recording
    remote remoteNameDisplayable requestedLanguageId requestedRouting requestedRoutingSkillId
    scoredAgentId screenMonitoredUserId screenRecording scriptId segmentEnd segmentType
    sessionDnis sipResponseCode skillExpressionId snippetRecording subject teamId
    transferTargetAddress transferTargetName transferType usedRouting userId wrapUpCode
    wrapUpNote
    """.split()
)
"""The dimensions by which a details query selects segments."""

CONVERSATION_FILTER_BY = frozenset(
    """
    accessAttribute conversationEnd conversationId conversationInitiator conversationStart
    customerParticipation divisionId externalTag mediaStatsMinConversationMos
    originatingDirection originatingSocialMediaPublic
    """.split()
)
"""The dimensions by which a details query selects conversations."""
