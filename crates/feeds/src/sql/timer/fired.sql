DELETE FROM timer WHERE timer_id = $1 AND lease = $2
